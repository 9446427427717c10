-- Deliveries by speed. Reordered: the customer's last valid order is later than this one.
WITH last_valid AS (
    SELECT customer_id, max(placed_at) AS placed_at FROM q.orders WHERE is_valid GROUP BY customer_id
), scored AS (
    SELECT order_id, sum(score) AS score, count(*) AS reviews FROM q.reviews GROUP BY order_id
), deliveries AS (
    SELECT o.*, q_speed_band(o.delivery_seconds) AS band, l.placed_at > o.placed_at AS is_reordered,
        s.score, s.reviews
    FROM q.orders AS o
    JOIN last_valid AS l USING (customer_id)
    LEFT JOIN scored AS s USING (order_id)
    WHERE o.is_delivery
), total AS (
    SELECT q_sum(value) AS value FROM deliveries
)
SELECT b.band AS delivery_days,
    CAST(count(d.order_id) AS INTEGER) AS orders,
    q_sum(d.value) AS revenue,
    q_share(count(d.order_id), q_sum(d.value), total.value) AS revenue_share_pct,
    q_mean(d.value) AS aov,
    q2(sum(d.score), sum(d.reviews)) AS avg_score,
    q_pct(count(*) FILTER (d.is_reordered), count(d.order_id)) AS reordered_pct
FROM q.speed_bands AS b
CROSS JOIN total
LEFT JOIN deliveries AS d ON d.band = b.band
GROUP BY b.place, b.band, total.value
ORDER BY b.place
