-- What is of the whole order stands on each of its rows.
SELECT
    min(line) AS line,
    id('order', order_id) AS order_id,
    id('alias', order_id) AS customer_id,
    status AS order_status,
    "date" AS order_purchase_timestamp
FROM export
GROUP BY order_id, status, "date"
