-- Payments by method.
WITH paid AS (
    SELECT method, count(*) AS payments, count(DISTINCT order_id) AS orders, q_sum(amount) AS amount,
        q_mean(installments) AS avg_installments
    FROM q.payments
    WHERE is_valid
    GROUP BY method
), approved AS (
    -- By the method of the order.
    SELECT method, sum(seconds_between(placed_at, approved_at)) AS seconds, count(*) AS orders
    FROM q.orders
    WHERE is_valid AND approved_at IS NOT NULL
    GROUP BY method
)
SELECT p.method,
    CAST(p.payments AS INTEGER) AS payments,
    CAST(p.orders AS INTEGER) AS orders,
    p.amount,
    q_pct(p.amount, sum(p.amount) OVER ()) AS amount_share_pct,
    q2(p.amount, p.payments) AS avg_payment,
    p.avg_installments,
    q2(a.seconds, 3600 * a.orders) AS avg_hours_to_approval
FROM paid AS p
LEFT JOIN approved AS a USING (method)
ORDER BY p.amount DESC, p.method
