-- number = 88
-- group = "Payment Risk"
-- title = "How much installment credit is still open?"
-- columns = "installments* payments# payments_share_pct amount amount_share_pct outstanding outstanding_pct"
-- key = ["installments"]
-- chart = { kind = "stacked bar", x = "installments", y = ["outstanding", "amount"] }
-- finding = [
--   "{all.outstanding} of {all.amount} paid by credit card are still to come, {all.outstanding_pct}; most, {top(outstanding).outstanding}, on {top(outstanding).installments} installments.",
-- ]
-- definition = """
-- Credit card payments of valid orders placed up to the close date by installment band, and all. Of n installments
-- (at least 1) min(n, floor(age / 30)) are paid; outstanding: amount x unpaid part, rounded to the cent per payment;
-- outstanding_pct of amount.
-- """
-- caveat = "Due dates are an assumption."
-- terms = ["delivered, lost, valid", "close date, age, evaluation date"]
-- [made_of]
-- payments_share_pct = ["payments", "all_payments"]
-- amount_share_pct = ["amount", "all_amount"]
-- outstanding_pct = ["outstanding", "amount"]

-- answer:
WITH band (place, installments) AS (
    VALUES (0, 'all'), (1, '1'), (2, '2-3'), (3, '4-6'), (4, '7-10'), (5, '11+')
), payment AS (
    SELECT
        amount,
        greatest(width_bucket(installments, ARRAY[1, 2, 4, 7, 11]), 1) AS place,
        round(1.0 * amount * greatest(0, plan.n - (close_date - placed_on) / 30) / plan.n, 2) AS outstanding
    FROM payments
    CROSS JOIN period
    CROSS JOIN LATERAL (SELECT greatest(installments, 1) AS n) AS plan
    WHERE method = 'credit_card' AND is_valid AND placed_on <= close_date
), counted AS (
    SELECT coalesce(place, 0) AS place, count(*) AS payments, sum(amount) AS amount, sum(outstanding) AS outstanding
    FROM payment
    GROUP BY GROUPING SETS ((place), ())
), totals AS (
    SELECT payments AS all_payments, amount AS all_amount FROM counted WHERE place = 0
)
SELECT
    installments,
    coalesce(payments, 0)::int AS payments,
    coalesce(round(100.0 * payments / nullif(all_payments, 0), 2), 0.00) AS payments_share_pct,
    coalesce(amount, 0.00) AS amount,
    CASE WHEN payments > 0 THEN round(100.0 * amount / nullif(all_amount, 0), 2) ELSE 0.00 END AS amount_share_pct,
    coalesce(outstanding, 0.00) AS outstanding,
    round(100.0 * outstanding / nullif(amount, 0), 2) AS outstanding_pct
FROM band
LEFT JOIN counted USING (place)
CROSS JOIN totals
ORDER BY place

-- rows:
WITH band (place, installments) AS (
    VALUES (0, 'all'), (1, '1'), (2, '2-3'), (3, '4-6'), (4, '7-10'), (5, '11+')
), payment AS (
    SELECT
        order_id || '/' || payment_no AS payment,
        amount,
        greatest(width_bucket(installments, ARRAY[1, 2, 4, 7, 11]), 1) AS place,
        round(1.0 * amount * greatest(0, plan.n - (close_date - placed_on) / 30) / plan.n, 2) AS outstanding
    FROM payments
    CROSS JOIN period
    CROSS JOIN LATERAL (SELECT greatest(installments, 1) AS n) AS plan
    WHERE method = 'credit_card' AND is_valid AND placed_on <= close_date
)
SELECT b.installments, measure, 'sales.fact_payment' AS "table", payment AS key, part
FROM band AS b
JOIN payment AS p ON b.place IN (0, p.place)
CROSS JOIN LATERAL (
    VALUES ('payments', 1), ('amount', amount), ('outstanding', outstanding)
) AS figure (measure, part)
WHERE part <> 0
UNION ALL
SELECT b.installments, measure, 'sales.fact_payment', payment, part
FROM band AS b
CROSS JOIN payment AS p
CROSS JOIN LATERAL (VALUES ('all_payments', 1), ('all_amount', amount)) AS figure (measure, part)
WHERE part <> 0
