-- Sellers by the quarter of their first valid line. Eligible is who began that many days before the close date.
WITH sellers AS (
    SELECT seller_id, min(placed_on) AS first_sale, max(placed_on) AS last_sale
    FROM q.seller_lines
    WHERE is_valid
    GROUP BY seller_id
), judged AS (
    SELECT seller_id, q_quarter(first_sale) AS cohort,
        first_sale + 180 <= close_date AS is_eligible_6m,
        last_sale >= first_sale + 180 AS is_active_6m,
        first_sale + 365 <= close_date AS is_eligible_12m,
        last_sale >= first_sale + 365 AS is_active_12m
    FROM sellers CROSS JOIN q.period
), members AS (
    SELECT 0 AS place, 'all' AS cohort, * EXCLUDE (cohort) FROM judged
    UNION ALL
    SELECT 1, cohort, * EXCLUDE (cohort) FROM judged
), counted AS (
    SELECT place, cohort, count(seller_id) AS sellers,
        count(*) FILTER (is_eligible_6m) AS eligible_6m,
        count(*) FILTER (is_eligible_6m AND is_active_6m) AS active_6m,
        count(*) FILTER (is_eligible_12m) AS eligible_12m,
        count(*) FILTER (is_eligible_12m AND is_active_12m) AS active_12m
    FROM (VALUES (0, 'all')) AS listed (place, cohort) FULL JOIN members USING (place, cohort)
    GROUP BY place, cohort
)
SELECT cohort,
    CAST(sellers AS INTEGER) AS sellers,
    CAST(eligible_6m AS INTEGER) AS eligible_6m,
    CAST(active_6m AS INTEGER) AS active_6m,
    q_pct(active_6m, eligible_6m) AS active_6m_pct,
    CAST(eligible_12m AS INTEGER) AS eligible_12m,
    CAST(active_12m AS INTEGER) AS active_12m,
    q_pct(active_12m, eligible_12m) AS active_12m_pct
FROM counted
ORDER BY place, cohort;
