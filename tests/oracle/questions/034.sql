-- min_reviews=20
WITH order_categories AS (
    SELECT DISTINCT order_id, category FROM q.lines WHERE is_delivered
)
SELECT c.category,
    CAST(count(*) AS INTEGER) AS reviews,
    q_mean(r.score) AS avg_score,
    q_positive_pct(r.score) AS positive_pct,
    q_negative_pct(r.score) AS negative_pct
FROM order_categories AS c
JOIN q.reviews AS r USING (order_id)
GROUP BY c.category
HAVING count(*) >= $min_reviews
ORDER BY avg_score DESC, reviews DESC, c.category
