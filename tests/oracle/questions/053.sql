-- Delivered lines by month; amounts in cents.
WITH sold AS (
    SELECT month_no, count(DISTINCT seller_id) AS sellers, sum(CAST(100 * total AS HUGEINT)) AS revenue
    FROM q.seller_lines
    WHERE is_delivered
    GROUP BY month_no
), monthly AS (
    SELECT month_no, month, coalesce(sellers, 0) AS sellers, coalesce(revenue, 0) AS revenue
    FROM q.months LEFT JOIN sold USING (month_no)
), compared AS (
    SELECT *,
        lag(sellers) OVER (ORDER BY month_no) AS sellers_before,
        lag(revenue) OVER (ORDER BY month_no) AS revenue_before,
        sum(sellers) OVER three_months AS sellers_3m,
        sum(revenue) OVER three_months AS revenue_3m,
        count(*) OVER three_months AS months
    FROM monthly
    WINDOW three_months AS (ORDER BY month_no ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
)
SELECT month,
    CAST(sellers AS INTEGER) AS sellers,
    q2(revenue, 100) AS revenue,
    q2(compared.revenue, 100 * compared.sellers) AS revenue_per_seller,
    CASE WHEN compared.sellers > 0
         THEN q_pct(compared.revenue * sellers_before - revenue_before * compared.sellers,
                    revenue_before * compared.sellers) END AS change_pct,
    CASE WHEN months = 3 THEN q2(revenue_3m, 100 * sellers_3m) END AS revenue_per_seller_3m
FROM compared
ORDER BY month_no;
