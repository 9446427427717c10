-- commission_pct=10 fee_per_line=5.00 min_lines=20
WITH grouped AS (
    SELECT CASE WHEN grouping(category) = 0 THEN category ELSE 'all' END AS category,
        grouping(category) AS is_all,
        count(*) AS lines,
        q_sum(price) AS merchandise
    FROM q.lines
    WHERE is_delivered
    GROUP BY GROUPING SETS ((), (category))
), commissions AS (
    SELECT *, merchandise * $commission_pct + 100 * lines * $fee_per_line AS hundredfold
    FROM grouped
    WHERE is_all = 1 OR lines >= $min_lines
)
SELECT category,
    CAST(lines AS INTEGER) AS lines,
    merchandise,
    q2(merchandise, lines) AS avg_price,
    q2(hundredfold, 100) AS commission,
    q2(hundredfold, merchandise) AS take_rate_pct
FROM commissions
ORDER BY is_all DESC, take_rate_pct DESC NULLS LAST, category
