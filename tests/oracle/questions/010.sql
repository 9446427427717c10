-- cost_of_capital_pct=12
WITH plans AS (
    SELECT greatest(installments, 1) AS n, amount, 15 * (greatest(installments, 1) + 1) AS wait_days
    FROM q.payments
    WHERE is_valid AND method = 'credit_card'
), grouped AS (
    -- n is null in the row over all.
    SELECT n, count(*) AS payments, q_sum(amount) AS amount, coalesce(sum(amount * wait_days), 0) AS amount_days
    FROM plans
    GROUP BY GROUPING SETS ((), (n))
), total AS (
    SELECT q_sum(amount) AS amount FROM plans
)
SELECT coalesce(CAST(n AS VARCHAR), 'all') AS plan,
    CAST(payments AS INTEGER) AS payments,
    g.amount,
    q_share(payments, g.amount, total.amount) AS amount_share_pct,
    q2(g.amount, payments) AS avg_payment,
    q2(amount_days, g.amount) AS avg_wait_days,
    q2(amount_days * $cost_of_capital_pct, 100 * 365) AS financing_cost
FROM grouped AS g CROSS JOIN total
ORDER BY n NULLS FIRST
