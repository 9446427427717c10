WITH paid_by AS (
    SELECT order_id, string_agg(DISTINCT method, '+' ORDER BY method) AS methods FROM q.payments GROUP BY order_id
)
SELECT coalesce(methods, 'unknown') AS methods, CAST(count(*) AS INTEGER) AS orders,
    q_pct(count(*), sum(count(*)) OVER ()) AS orders_share_pct,
    q_mean(value) AS aov,
    CAST(q_median(value) AS DECIMAL(14, 2)) AS median_order_value,
    q2(sum(item_count), count(*)) AS lines_per_order
FROM q.orders LEFT JOIN paid_by USING (order_id)
WHERE is_delivered AND item_count > 0
GROUP BY coalesce(methods, 'unknown')
ORDER BY orders DESC, methods;
