-- min_orders=30
WITH valued AS (
    SELECT order_id, status, unnest([
        {'dimension_no': 1, 'dimension': 'paid value', 'value': q_price_band(paid)},
        {'dimension_no': 3, 'dimension': 'region', 'value': region},
        {'dimension_no': 4, 'dimension': 'payment method', 'value': method}], recursive := true)
    FROM q.orders
    UNION ALL
    SELECT DISTINCT order_id, status, 2, 'category', category FROM q.lines
), listed AS (
    SELECT 1 AS dimension_no, 'paid value' AS dimension, band AS value FROM q.price_bands
    UNION
    SELECT dimension_no, dimension, value FROM valued
), totals AS (
    SELECT count(*) AS all_orders, count(*) FILTER (status = 'canceled') AS all_canceled FROM q.orders
), counted AS (
    SELECT dimension_no, dimension, value, CAST(count(order_id) AS INTEGER) AS orders,
        CAST(count(*) FILTER (status = 'canceled') AS INTEGER) AS canceled
    FROM listed LEFT JOIN valued USING (dimension_no, dimension, value)
    GROUP BY ALL
    HAVING count(order_id) >= $min_orders
)
SELECT dimension, value, orders, canceled, q_pct(canceled, orders) AS canceled_pct,
    q_pct(canceled * all_orders, orders * all_canceled) AS risk_index
FROM counted CROSS JOIN totals
ORDER BY dimension_no, canceled_pct DESC, orders DESC, value;
