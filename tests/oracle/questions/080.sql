WITH moods AS (
    SELECT customer_id, sum(score) AS score, count(*) AS reviews FROM q.reviews WHERE is_delivered GROUP BY customer_id
), lapsed AS (
    SELECT customer_id, spent, evaluation_date - last_purchase AS days_idle,
        CASE WHEN spent >= 200 THEN 'high' WHEN spent >= 100 THEN 'medium' ELSE 'low' END AS value_tier,
        CASE WHEN reviews IS NULL THEN 'unknown' WHEN score >= 4 * reviews THEN 'satisfied'
             WHEN score >= 3 * reviews THEN 'neutral' ELSE 'dissatisfied' END AS mood
    FROM q.segments((SELECT evaluation_date FROM q.period))
    CROSS JOIN q.period
    LEFT JOIN moods USING (customer_id)
    WHERE segment = 'CHURNED'
), prioritised AS (
    SELECT *, CASE WHEN mood = 'satisfied' AND value_tier <> 'low' THEN 'A'
                   WHEN mood = 'satisfied' OR (mood = 'neutral' AND value_tier <> 'low') THEN 'B'
                   ELSE 'C' END AS priority
    FROM lapsed
)
SELECT priority, value_tier, mood, CAST(count(*) AS INTEGER) AS customers,
    q_pct(count(*), sum(count(*)) OVER ()) AS share_pct,
    CAST(sum(spent) AS DECIMAL(14, 2)) AS revenue,
    q2(sum(spent), count(*)) AS revenue_per_customer,
    q2(sum(days_idle), count(*)) AS avg_days_idle
FROM prioritised
GROUP BY priority, value_tier, mood
ORDER BY priority, value_tier, list_position(['satisfied', 'neutral', 'unknown', 'dissatisfied'], mood);
