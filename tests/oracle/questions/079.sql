-- min_lines=100 min_months=12
-- A month without a mean price above zero has no logarithm and is no point of the line.
WITH regular AS (
    SELECT category, month_no, price
    FROM q.lines JOIN q.months USING (month_no)
    WHERE is_valid AND t IS NOT NULL
), months AS (
    SELECT month_no, count(*) AS lines FROM regular GROUP BY month_no
), monthly AS (
    SELECT category, month_no, count(*) AS lines, sum(price) AS price FROM regular GROUP BY ALL
), logarithms AS (
    SELECT category, monthly.lines, price,
        ln(CAST(monthly.lines AS DOUBLE) / months.lines) AS share,
        CASE WHEN price > 0 THEN ln(CAST(100 * price AS DOUBLE) / (100 * monthly.lines)) END AS mean_price
    FROM monthly JOIN months USING (month_no)
), categories AS (
    SELECT category, CAST(count(*) AS INTEGER) AS months, CAST(sum(lines) AS INTEGER) AS lines,
        q2(sum(price), sum(lines)) AS avg_price,
        q2_near(CASE WHEN min(mean_price) < max(mean_price) THEN regr_slope(share, mean_price) END) AS elasticity,
        q4_near(CASE WHEN min(share) < max(share) THEN regr_r2(share, mean_price) END) AS fit_r2
    FROM logarithms
    GROUP BY category
    HAVING sum(lines) >= $min_lines AND count(*) >= $min_months
)
SELECT *,
    CASE WHEN elasticity <= -1 THEN 'elastic' WHEN elasticity < 0 THEN 'inelastic' ELSE 'not price-led' END AS sensitivity
FROM categories
WHERE elasticity IS NOT NULL
ORDER BY elasticity, category;
