-- number = 10
-- group = "Financial Performance"
-- title = "Which installment plans are used, and what would financing cost?"
-- columns = "plan* payments# amount amount_share_pct avg_payment avg_wait_days financing_cost"
-- key = ["plan"]
-- chart = { kind = "bar", x = "plan", y = ["amount"] }
-- finding = [
--   "Credit cards bring {all.amount}, for which we wait {all.avg_wait_days} days on average if installments come monthly: that would cost {all.financing_cost}; plans of {top(financing_cost).plan} installments cost most, {top(financing_cost).financing_cost}.",
-- ]
-- definition = """
-- Credit card payments of valid orders by installments n (at least 1), and all. One is due every 30 days, so a
-- payment waits 15(n + 1) days: avg_wait_days, weighted by amount; financing_cost = amount x cost_of_capital_pct %
-- x wait / 365. Sort: all, n (a number).
-- """
-- caveat = "Due dates and cost of capital are assumptions."
-- terms = ["delivered, lost, valid", "method, installments of an order"]
-- [parameters]
-- cost_of_capital_pct = { default = 12.0, minimum = 0.0 }
-- [made_of]
-- amount_share_pct = ["amount"]
-- avg_payment = ["amount", "payments"]
-- avg_wait_days = ["amount_days", "amount"]
-- financing_cost = ["amount_days"]

-- answer:
WITH paid AS (
    SELECT
        greatest(installments, 1) AS n,
        count(*) AS payments,
        sum(amount) AS amount,
        sum(amount * 15 * (greatest(installments, 1) + 1)) AS amount_days
    FROM payments
    WHERE is_valid AND method = 'credit_card'
    GROUP BY GROUPING SETS ((), (greatest(installments, 1)))
)
SELECT
    coalesce(n::text, 'all') AS plan,
    p.payments::int AS payments,
    round(coalesce(amount, 0), 2) AS amount,
    CASE WHEN p.payments = 0 THEN 0.00
        ELSE round(100 * amount / nullif(max(amount) FILTER (WHERE n IS NULL) OVER (), 0), 2)
    END AS amount_share_pct,
    round(amount / nullif(p.payments, 0), 2) AS avg_payment,
    round(amount_days / nullif(amount, 0), 2) AS avg_wait_days,
    round(coalesce(amount_days, 0) * :cost_of_capital_pct / 36500, 2) AS financing_cost
FROM paid AS p
ORDER BY n NULLS FIRST

-- rows:
SELECT plan, measure, 'sales.fact_payment' AS "table", order_id || '/' || payment_no AS key, part
FROM payments
CROSS JOIN LATERAL (SELECT greatest(installments, 1)) AS of_plan (n)
CROSS JOIN LATERAL (VALUES ('all'), (n::text)) AS row (plan)
CROSS JOIN LATERAL (
    VALUES ('payments', 1), ('amount', amount), ('amount_days', amount * 15 * (n + 1))
) AS figure (measure, part)
WHERE is_valid AND method = 'credit_card' AND part <> 0
