-- Reviews of all orders by region, then by state.
WITH places AS (
    SELECT 1 AS level_no, 'region' AS level, region AS place, score FROM q.reviews
    UNION ALL
    SELECT 2, 'state', state, score FROM q.reviews
), shown AS (
    SELECT level_no, level, place, CAST(count(*) AS INTEGER) AS reviews, q_mean(score) AS avg_score,
        q_positive_pct(score) AS positive_pct, q_negative_pct(score) AS negative_pct, q_nps(score) AS nps
    FROM places
    GROUP BY level_no, level, place
)
SELECT level, place, reviews, avg_score, positive_pct, negative_pct, nps
FROM shown
ORDER BY level_no, avg_score DESC, place;
