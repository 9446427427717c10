-- min_orders=10 limit=20
WITH deliveries AS (
    SELECT l.seller_id, l.seller_state, o.order_id, o.days_late,
        seconds_between(o.placed_at, o.shipped_at) AS handover_seconds,
        o.shipped_at <= max(l.ship_by) AS is_handed_over_on_time
    FROM q.seller_lines AS l
    JOIN q.orders AS o USING (order_id)
    WHERE o.is_delivery
    GROUP BY l.seller_id, l.seller_state, o.order_id, o.days_late, o.placed_at, o.shipped_at
), scored AS (
    SELECT d.seller_id, q_mean(r.score) AS avg_score
    FROM deliveries AS d
    JOIN q.reviews AS r USING (order_id)
    GROUP BY d.seller_id
), grouped AS (
    SELECT seller_id, seller_state, count(*) AS deliveries,
        q_on_time_pct(days_late) AS on_time_pct,
        q_pct(count(*) FILTER (is_handed_over_on_time), count(is_handed_over_on_time)) AS handover_on_time_pct,
        q_mean_days(handover_seconds) AS avg_days_to_handover
    FROM deliveries
    GROUP BY seller_id, seller_state
    HAVING count(*) >= $min_orders
)
SELECT g.seller_id, g.seller_state,
    CAST(g.deliveries AS INTEGER) AS deliveries,
    g.on_time_pct, g.handover_on_time_pct, g.avg_days_to_handover, s.avg_score
FROM grouped AS g
LEFT JOIN scored AS s USING (seller_id)
ORDER BY g.on_time_pct DESC, g.deliveries DESC, g.seller_id
LIMIT $limit
