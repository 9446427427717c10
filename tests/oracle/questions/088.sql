WITH due AS (
    SELECT amount, greatest(installments, 1) AS n, (close_date - placed_on) // 30 AS months,
        q_installment_band(installments) AS band
    FROM q.payments CROSS JOIN q.period
    WHERE method = 'credit_card' AND is_valid AND placed_on <= close_date
), payments AS (
    SELECT unnest(['all', band]) AS band, amount, q2(amount * (n - least(n, months)), n) AS outstanding
    FROM due
), sums AS (
    SELECT band, count(*) AS payments, sum(amount) AS amount, sum(outstanding) AS outstanding
    FROM payments
    GROUP BY band
), bands AS (
    SELECT 0 AS place, 'all' AS band
    UNION ALL
    SELECT place, band FROM q.installment_bands
), totals AS (
    SELECT count(*) AS payments, sum(amount) AS amount FROM due
)
SELECT band AS installments, CAST(coalesce(sums.payments, 0) AS INTEGER) AS payments,
    CASE WHEN sums.payments IS NULL THEN CAST(0 AS DECIMAL(14, 2)) ELSE q_pct(sums.payments, totals.payments) END
        AS payments_share_pct,
    CAST(coalesce(sums.amount, 0) AS DECIMAL(14, 2)) AS amount,
    CASE WHEN sums.payments IS NULL THEN CAST(0 AS DECIMAL(14, 2)) ELSE q_pct(sums.amount, totals.amount) END
        AS amount_share_pct,
    CAST(coalesce(outstanding, 0) AS DECIMAL(14, 2)) AS outstanding,
    q_pct(outstanding, sums.amount) AS outstanding_pct
FROM bands
LEFT JOIN sums USING (band)
CROSS JOIN totals
ORDER BY place;
