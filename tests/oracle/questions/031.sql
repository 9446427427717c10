-- Reviews by month of their creation.
WITH reviews AS (
    SELECT score, q_month_no(created_at) AS month_no FROM q.reviews
), bounds AS (
    SELECT min(month_no) AS first_no, max(month_no) AS last_no FROM reviews
), months AS (
    SELECT NULL AS month_no, 'all' AS month
    UNION ALL
    SELECT n.month_no, q_month(n.month_no)
    FROM (SELECT CAST(unnest(generate_series(first_no, last_no)) AS INTEGER) AS month_no FROM bounds) AS n
)
SELECT m.month,
    CAST(count(r.score) AS INTEGER) AS reviews,
    q_mean(r.score) AS avg_score,
    q_pct(count(*) FILTER (r.score = 5), count(r.score)) AS promoters_pct,
    q_pct(count(*) FILTER (r.score <= 3), count(r.score)) AS detractors_pct,
    q_nps(r.score) AS nps
FROM months AS m
LEFT JOIN reviews AS r ON m.month = 'all' OR r.month_no = m.month_no
GROUP BY m.month_no, m.month
ORDER BY m.month_no NULLS FIRST
