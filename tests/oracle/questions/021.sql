-- Deliveries against the promise, in calendar days.
WITH months AS (
    SELECT NULL AS month_no, 'all' AS month UNION ALL SELECT month_no, month FROM q.months
), deliveries AS (
    SELECT order_id, month_no,
        CAST(delivered_at AS DATE) - placed_on AS delivery_days,
        CAST(promised_by AS DATE) - placed_on AS promised_days,
        CAST(promised_by AS DATE) - CAST(delivered_at AS DATE) AS early_days
    FROM q.orders
    WHERE is_delivery
)
SELECT m.month,
    CAST(count(d.order_id) AS INTEGER) AS deliveries,
    q_mean(d.delivery_days) AS avg_delivery_days,
    q_mean(d.promised_days) AS avg_promised_days,
    q_mean(d.early_days) AS avg_days_early,
    CAST(q_median(d.delivery_days) AS INTEGER) AS median_delivery_days
FROM months AS m
LEFT JOIN deliveries AS d ON m.month = 'all' OR d.month_no = m.month_no
GROUP BY m.month_no, m.month
ORDER BY m.month_no NULLS FIRST
