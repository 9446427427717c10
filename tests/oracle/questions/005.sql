-- Orders by year, quarter and month. All months are gapless, and so are their quarters and years.
WITH periods AS (
    SELECT 1 AS place, 'year' AS period_type, left(month, 4) AS period, orders FROM q.months
    UNION ALL
    SELECT 2, 'quarter', left(month, 4) || '-Q' || (month_no % 12 // 3 + 1), orders FROM q.months
    UNION ALL
    SELECT 3, 'month', month, orders FROM q.months
), counted AS (
    SELECT place, period_type, period, sum(orders) AS orders
    FROM periods
    GROUP BY place, period_type, period
), compared AS (
    SELECT *, lag(orders) OVER (PARTITION BY place ORDER BY period) AS before FROM counted
)
SELECT period_type, period, CAST(orders AS INTEGER) AS orders, q_pct(orders - before, before) AS change_pct
FROM compared
ORDER BY place, period
