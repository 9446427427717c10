-- min_orders=10 limit=20
-- Deliveries by seller. He hands over late what the carrier gets after the latest day for his lines of the order.
WITH seller_orders AS (
    SELECT seller_id, seller_state, order_id, max(ship_by) AS ship_by
    FROM q.seller_lines
    WHERE is_delivery
    GROUP BY seller_id, seller_state, order_id
), sellers AS (
    SELECT seller_id, seller_state, count(*) AS deliveries,
        q_late(days_late) AS late,
        q_late_pct(days_late) AS late_pct,
        q_avg_days_late(days_late) AS avg_days_late,
        q_pct(count(*) FILTER (shipped_at > s.ship_by), count(*) FILTER (shipped_at IS NOT NULL AND s.ship_by IS NOT NULL)) AS handover_late_pct,
        q_mean_days(seconds_between(placed_at, shipped_at)) AS avg_days_to_handover
    FROM seller_orders AS s JOIN q.orders USING (order_id)
    GROUP BY seller_id, seller_state
)
SELECT seller_id, seller_state, CAST(deliveries AS INTEGER) AS deliveries, late, late_pct, avg_days_late,
    handover_late_pct, avg_days_to_handover
FROM sellers
WHERE sellers.deliveries >= $min_orders
ORDER BY late_pct DESC, sellers.deliveries DESC, seller_id
LIMIT $limit;
