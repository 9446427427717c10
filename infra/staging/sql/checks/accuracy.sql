-- name: samples_inside_brazil
SELECT count(*), count_if(NOT (latitude BETWEEN -33.76 AND 5.28 AND longitude BETWEEN -74.00 AND -28.84))
FROM geolocation;

-- name: payments_match_total
-- Of orders that show both; one that the log knows may have more of them there.
SELECT count(*), count_if(paid <> total)
FROM (SELECT order_id, sum(amount) AS paid FROM order_payments GROUP BY order_id)
JOIN (SELECT order_id, sum(price + freight) AS total FROM order_items GROUP BY order_id) USING (order_id);

-- name: prices_positive
SELECT count(*), count_if(price <= 0) FROM order_items;

-- name: payments_positive
SELECT count(*), count_if(amount <= 0) FROM order_payments;

-- name: weights_positive
SELECT count(*), count_if(weight_g = 0) FROM products WHERE weight_g IS NOT NULL;

-- name: sizes_positive
SELECT count(*), count_if(least(length_cm, height_cm, width_cm) = 0)
FROM products WHERE length_cm IS NOT NULL AND height_cm IS NOT NULL AND width_cm IS NOT NULL;
