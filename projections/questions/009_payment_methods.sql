-- number = 9
-- group = "Financial Performance"
-- title = "How do customers pay, and how soon is each method certain?"
-- columns = "method* payments# orders# amount amount_share_pct avg_payment avg_installments avg_hours_to_approval"
-- key = ["method"]
-- chart = { kind = "bar", x = "method", y = ["amount"] }
-- finding = [
--   "Most money comes by {first.method}: {first.amount}, {first.amount_share_pct} of all, in {first.avg_installments} installments on average; approval is quickest with {low(avg_hours_to_approval).method} ({low(avg_hours_to_approval).avg_hours_to_approval} hours) and slowest with {top(avg_hours_to_approval).method} ({top(avg_hours_to_approval).avg_hours_to_approval} hours).",
--   "Most money comes by {first.method}: {first.amount}, {first.amount_share_pct} of all, in {first.avg_installments} installments on average.",
-- ]
-- definition = """
-- Payments of valid orders by the payment's method; installments as given. avg_hours_to_approval: approved_at -
-- placed_at over approved valid orders with this as the order's method. Sort: -amount, method.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid", "method, installments of an order"]
-- [made_of]
-- amount_share_pct = ["amount"]
-- avg_payment = ["amount", "payments"]
-- avg_installments = ["installments", "payments"]
-- avg_hours_to_approval = ["seconds_to_approval", "approved_orders"]

-- answer:
WITH paid AS (
    SELECT
        method,
        count(*) AS payments,
        count(DISTINCT order_id) AS orders,
        sum(amount) AS amount,
        sum(installments) AS installments
    FROM payments
    WHERE is_valid
    GROUP BY method
), approved AS (
    SELECT method, count(*) AS orders, sum(extract(epoch FROM approved_at - placed_at)) AS seconds
    FROM orders
    WHERE is_valid AND approved_at IS NOT NULL
    GROUP BY method
)
SELECT
    method,
    p.payments::int AS payments,
    p.orders::int AS orders,
    round(amount, 2) AS amount,
    round(100 * amount / nullif(sum(amount) OVER (), 0), 2) AS amount_share_pct,
    round(amount / p.payments, 2) AS avg_payment,
    round(1.0 * installments / p.payments, 2) AS avg_installments,
    round(seconds / (3600 * a.orders), 2) AS avg_hours_to_approval
FROM paid AS p LEFT JOIN approved AS a USING (method)
ORDER BY amount DESC, method COLLATE "C"

-- rows:
SELECT DISTINCT method, 'orders' AS measure, 'sales.fact_order' AS "table", order_id::text AS key, 1.0 AS part
FROM payments
WHERE is_valid
UNION ALL
SELECT method, measure, 'sales.fact_payment', order_id || '/' || payment_no, part
FROM payments
CROSS JOIN LATERAL (
    VALUES ('payments', 1), ('amount', amount), ('installments', installments)
) AS figure (measure, part)
WHERE is_valid AND part <> 0
UNION ALL
SELECT method, measure, 'sales.fact_order', order_id::text, part
FROM orders
CROSS JOIN LATERAL (
    VALUES ('approved_orders', 1), ('seconds_to_approval', extract(epoch FROM approved_at - placed_at))
) AS figure (measure, part)
WHERE is_valid AND approved_at IS NOT NULL AND part <> 0
