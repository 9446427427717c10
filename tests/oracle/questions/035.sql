-- min_reviews=10 limit=30
-- Reviews of all orders by seller. Stars average 4.50 or more, with at most 5.00 % of their deliveries late.
WITH seller_orders AS (
    SELECT DISTINCT seller_id, seller_state, order_id FROM q.seller_lines
), reviewed AS (
    SELECT seller_id, seller_state, count(*) AS reviews, q_mean(score) AS avg_score,
        q_positive_pct(score) AS positive_pct, q_negative_pct(score) AS negative_pct
    FROM seller_orders JOIN q.reviews USING (order_id)
    GROUP BY seller_id, seller_state
), delivered AS (
    SELECT seller_id, q_late_pct(days_late) AS late_pct
    FROM seller_orders JOIN q.orders USING (order_id)
    GROUP BY seller_id
)
SELECT seller_id, seller_state, CAST(reviews AS INTEGER) AS reviews, avg_score, positive_pct, negative_pct, late_pct,
    CASE WHEN avg_score >= 4.50 AND late_pct <= 5.00 THEN 'yes' ELSE 'no' END AS star
FROM reviewed JOIN delivered USING (seller_id)
WHERE reviews >= $min_reviews
ORDER BY avg_score DESC, reviews DESC, seller_id
LIMIT $limit;
