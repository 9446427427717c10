-- Measures of timing, each in seconds: calendar days are 86,400 of them.
WITH measures (measure) AS (
    VALUES ('delivery_days'), ('days_late'), ('days_before_promise'), ('promised_days'), ('days_to_approval'),
        ('days_to_handover'), ('days_in_transit')
), reviewed AS (
    SELECT r.score, o.* FROM q.reviews AS r JOIN q.orders AS o USING (order_id) WHERE o.is_delivery
), measured AS (
    SELECT 'delivery_days' AS measure, score, delivery_seconds AS seconds FROM reviewed
    UNION ALL
    SELECT 'days_late', score, 86400 * days_late FROM reviewed
    UNION ALL
    SELECT 'days_before_promise', score, 86400 * (CAST(promised_by AS DATE) - CAST(delivered_at AS DATE)) FROM reviewed
    UNION ALL
    SELECT 'promised_days', score, 86400 * (CAST(promised_by AS DATE) - placed_on) FROM reviewed
    UNION ALL
    SELECT 'days_to_approval', score, seconds_between(placed_at, approved_at) FROM reviewed
    UNION ALL
    SELECT 'days_to_handover', score, seconds_between(placed_at, shipped_at) FROM reviewed
    UNION ALL
    SELECT 'days_in_transit', score, seconds_between(shipped_at, delivered_at) FROM reviewed
), known AS (
    SELECT * FROM measured WHERE seconds IS NOT NULL
)
SELECT m.measure,
    CAST(count(k.score) AS INTEGER) AS reviews,
    q4_near(q_correlation(k.score, k.seconds)) AS correlation,
    q_mean_days(CASE WHEN k.score >= 4 THEN k.seconds END) AS avg_when_positive,
    q_mean_days(CASE WHEN k.score <= 2 THEN k.seconds END) AS avg_when_negative
FROM measures AS m
LEFT JOIN known AS k USING (measure)
GROUP BY m.measure
ORDER BY abs(correlation) DESC NULLS LAST, m.measure
