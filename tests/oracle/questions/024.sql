-- Scores by speed.
WITH bands AS (
    SELECT 0 AS place, 'all' AS band UNION ALL SELECT * FROM q.speed_bands
), reviews AS (
    SELECT *, q_speed_band(delivery_seconds) AS band FROM q.reviews WHERE is_delivery
)
SELECT b.band AS delivery_days,
    CAST(count(r.score) AS INTEGER) AS reviews,
    q_mean(r.score) AS avg_score,
    q_positive_pct(r.score) AS positive_pct,
    q_negative_pct(r.score) AS negative_pct,
    CASE WHEN b.band = 'all' THEN q4_near(q_correlation(r.score, r.delivery_seconds)) END AS correlation
FROM bands AS b
LEFT JOIN reviews AS r ON b.band = 'all' OR r.band = b.band
GROUP BY b.place, b.band
ORDER BY b.place
