-- Segments on the evaluation date: what was spent by then is the revenue.
WITH segments (segment) AS (
    VALUES ('NEW'), ('ONE_TIME'), ('REGULAR'), ('LOYAL'), ('VIP'), ('CHURNED')
), customers AS (
    SELECT * FROM q.segments((SELECT evaluation_date FROM q.period))
)
SELECT s.segment,
    CAST(count(c.customer_id) AS INTEGER) AS customers,
    CAST(coalesce(sum(c.delivered_orders), 0) AS INTEGER) AS delivered_orders,
    q_sum(c.spent) AS revenue,
    q2(q_sum(c.spent), coalesce(sum(c.delivered_orders), 0)) AS revenue_per_order,
    q2(q_sum(c.spent), count(c.customer_id)) AS revenue_per_customer
FROM segments AS s
LEFT JOIN customers AS c USING (segment)
GROUP BY s.segment
ORDER BY revenue_per_order DESC NULLS LAST, s.segment
