-- name: records_well_formed
SELECT sum(records), (SELECT count(*) FROM quarantine WHERE rule = 'records_well_formed') FROM staged_file;

-- name: values_readable
SELECT sum(records), (SELECT count(*) FROM quarantine WHERE rule = 'values_readable') FROM staged_file;

-- name: statuses_known
SELECT sum(records), (SELECT count(*) FROM quarantine WHERE rule = 'statuses_known')
FROM staged_file WHERE file = 'orders';

-- name: scores_in_range
SELECT sum(records), (SELECT count(*) FROM quarantine WHERE rule = 'scores_in_range')
FROM staged_file WHERE file = 'order_reviews';

-- name: states_known
SELECT sum(places), sum(CASE WHEN state NOT IN (SELECT word FROM known_word WHERE kind = 'state') THEN places END)
FROM (
    SELECT state, count(*) AS places FROM customers GROUP BY state
    UNION ALL SELECT state, count(*) FROM sellers GROUP BY state
    UNION ALL SELECT state, count(*) FROM geolocation GROUP BY state
);

-- name: cities_plain
-- Letters of any script, blanks, hyphens, apostrophes and points.
SELECT count(*), count_if(NOT regexp_full_match(city, '[\pL\pM ''´`.-]+'))
FROM (SELECT city FROM customers UNION ALL SELECT city FROM sellers);

-- name: texts_not_null_words
SELECT count(text), count_if(is_word_for_nothing(text))
FROM (
    SELECT unnest([city, state]) AS text FROM customers
    UNION ALL SELECT unnest([city, state]) FROM sellers
    UNION ALL SELECT unnest([city, state]) FROM geolocation
    UNION ALL SELECT unnest([title, comment]) FROM order_reviews
    UNION ALL SELECT method FROM order_payments
    UNION ALL SELECT category FROM products
    UNION ALL SELECT unnest([category, english]) FROM categories
);

-- name: payment_methods_known
SELECT count(*), count_if(method NOT IN (SELECT word FROM known_word WHERE kind = 'method')) FROM order_payments;

-- name: installments_positive
SELECT count(*), count_if(installments < 1) FROM order_payments;

-- name: numbers_not_negative
SELECT count(*), count_if(lowest < 0)
FROM (
    SELECT item_no AS lowest FROM order_items
    UNION ALL SELECT payment_no FROM order_payments
    UNION ALL SELECT least(name_length, description_length, photos, weight_g, length_cm, height_cm, width_cm)
    FROM products
);
