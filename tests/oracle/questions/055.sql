-- min_orders=10
-- Sellers with so many delivered orders, by the days from the first of them to the close date.
WITH seller_orders AS (
    SELECT seller_id, order_id, sum(total) AS revenue
    FROM q.seller_lines
    WHERE is_delivered
    GROUP BY seller_id, order_id
), sellers AS (
    SELECT seller_id, count(*) AS orders, sum(revenue) AS revenue,
        count(*) FILTER (days_late > 0) AS late, count(days_late) AS deliveries,
        any_value(close_date) - min(placed_on) AS tenure
    FROM seller_orders JOIN q.orders USING (order_id) CROSS JOIN q.period
    GROUP BY seller_id
    HAVING count(*) >= $min_orders
), scores AS (
    SELECT seller_id, sum(score) AS scores, count(*) AS reviews
    FROM seller_orders JOIN q.reviews USING (order_id)
    GROUP BY seller_id
), metrics (metric) AS (
    VALUES ('delivered orders'), ('late deliveries pct'), ('revenue per 30 days'), ('review score')
), measured AS (
    SELECT metric, tenure,
        CASE metric
            WHEN 'delivered orders' THEN orders
            WHEN 'late deliveries pct' THEN 100.0 * late / nullif(deliveries, 0)
            WHEN 'revenue per 30 days' THEN 30.0 * revenue / greatest(tenure, 30)
            WHEN 'review score' THEN CAST(scores AS DOUBLE) / reviews END AS value
    FROM metrics CROSS JOIN sellers LEFT JOIN scores USING (seller_id)
)
SELECT metric,
    CAST(count(measured.metric) AS INTEGER) AS sellers,
    q2_near(avg(value) FILTER (tenure < 180)) AS avg_under_180_days,
    q2_near(avg(value) FILTER (tenure >= 180)) AS avg_from_180_days,
    q4_near(q_correlation(value, tenure)) AS correlation
FROM metrics LEFT JOIN measured USING (metric)
GROUP BY metric
ORDER BY metric;
