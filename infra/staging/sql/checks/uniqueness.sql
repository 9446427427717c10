-- Geolocation has no key and repeats itself by nature (R40).

-- name: keys_unique
SELECT sum(records), (SELECT count(*) FROM quarantine WHERE rule = 'keys_unique')
FROM staged_file WHERE file <> 'geolocation';

-- name: records_not_repeated
SELECT sum(records), (SELECT count(*) FROM repetition) FROM staged_file WHERE file <> 'geolocation';

-- name: reviews_of_one_order
SELECT count(*), count_if(orders > 1)
FROM (SELECT review_id, count(*) AS orders FROM order_reviews GROUP BY review_id);

-- name: orders_reviewed_once
SELECT count(*), count_if(reviews > 1)
FROM (SELECT order_id, count(*) AS reviews FROM order_reviews GROUP BY order_id);
