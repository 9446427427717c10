-- number = 31
-- group = "Customer Satisfaction Metrics"
-- title = "How satisfied are customers overall, and over time?"
-- columns = "month* reviews# avg_score promoters_pct detractors_pct nps"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["nps"] }
-- finding = [
--   "Customers give {all.avg_score} stars on average: {all.promoters_pct} five stars, {all.detractors_pct} three or fewer, so the score that resembles an NPS is {all.nps}; in {last(nps).month} it is {last(nps).nps}.",
-- ]
-- definition = """
-- Reviews of all orders, all and by month of their creation, gapless from first to last. Promoters: score 5;
-- detractors: 1 to 3.
-- """
-- caveat = "From stars, not the usual NPS question."
-- terms = ["review"]
-- [made_of]
-- avg_score = ["score", "reviews"]
-- promoters_pct = ["promoters", "reviews"]
-- detractors_pct = ["detractors", "reviews"]
-- nps = ["promoters", "detractors", "reviews"]

-- answer:
WITH listed AS (
    SELECT 'all' AS month
    UNION ALL
    SELECT to_char(generate_series(date_trunc('month', min(created_at)), max(created_at), '1 month'), 'YYYY-MM')
    FROM reviews
), created AS (
    SELECT to_char(created_at, 'YYYY-MM') AS month, score FROM reviews
), counted AS (
    SELECT
        coalesce(month, 'all') AS month,
        count(*) AS n,
        sum(score) AS score,
        count(*) FILTER (WHERE score = 5) AS promoters,
        count(*) FILTER (WHERE score <= 3) AS detractors
    FROM created
    GROUP BY GROUPING SETS ((), (month))
)
SELECT
    month,
    coalesce(n, 0)::int AS reviews,
    round(1.0 * score / nullif(n, 0), 2) AS avg_score,
    round(100.0 * promoters / nullif(n, 0), 2) AS promoters_pct,
    round(100.0 * detractors / nullif(n, 0), 2) AS detractors_pct,
    round(100.0 * (promoters - detractors) / nullif(n, 0), 2) AS nps
FROM listed LEFT JOIN counted USING (month)
ORDER BY month <> 'all', month COLLATE "C"

-- rows:
SELECT month, measure, 'customer.fact_review' AS "table", review_id || '/' || order_id AS key, part
FROM reviews
CROSS JOIN LATERAL (VALUES ('all'), (to_char(created_at, 'YYYY-MM'))) AS of_row (month)
CROSS JOIN LATERAL (
    VALUES ('reviews', 1), ('score', score), ('promoters', (score = 5)::int), ('detractors', (score <= 3)::int)
) AS figure (measure, part)
WHERE part <> 0
