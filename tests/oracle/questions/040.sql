-- Customers with valid orders, by the reviews of these orders.
WITH reviewed AS (
    SELECT order_id, count(*) AS reviews, sum(score) AS scores, count(*) FILTER (words <> '') AS texts
    FROM q.reviews
    GROUP BY order_id
), persons AS (
    SELECT customer_id,
        CASE WHEN sum(texts) > 0 THEN 'wrote a review text'
             WHEN sum(reviews) > 0 THEN 'gave a score only'
             ELSE 'no review' END AS behaviour,
        count(*) AS orders,
        sum(value) AS value, count(value) AS valued_orders,
        sum(reviews) AS reviews, sum(scores) AS scores,
        sum(delivery_seconds) AS seconds, count(delivery_seconds) AS deliveries
    FROM q.orders LEFT JOIN reviewed USING (order_id)
    WHERE is_valid
    GROUP BY customer_id
), behaviours (place, behaviour) AS (
    VALUES (1, 'wrote a review text'), (2, 'gave a score only'), (3, 'no review')
)
SELECT behaviour,
    CAST(count(customer_id) AS INTEGER) AS customers,
    CAST(coalesce(sum(orders), 0) AS INTEGER) AS orders,
    q2(sum(orders), count(customer_id)) AS orders_per_customer,
    q2(sum(value), sum(valued_orders)) AS avg_order_value,
    q_pct(count(*) FILTER (orders >= 2), count(customer_id)) AS repeat_pct,
    q2(sum(scores), sum(reviews)) AS avg_score,
    q2(sum(seconds), 86400 * sum(deliveries)) AS avg_delivery_days
FROM behaviours LEFT JOIN persons USING (behaviour)
GROUP BY place, behaviour
ORDER BY place;
