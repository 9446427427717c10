-- limit=20
-- Reviews of all orders by seller.
WITH seller_orders AS (
    SELECT DISTINCT seller_id, seller_state, order_id FROM q.seller_lines
), sellers AS (
    SELECT seller_id, seller_state, count(*) AS reviews,
        count(*) FILTER (score <= 2) AS negative,
        q_negative_pct(score) AS negative_pct,
        q_mean(score) AS avg_score
    FROM seller_orders JOIN q.reviews USING (order_id)
    GROUP BY seller_id, seller_state
)
SELECT seller_id, seller_state,
    CAST(reviews AS INTEGER) AS reviews,
    CAST(negative AS INTEGER) AS negative_reviews,
    negative_pct,
    avg_score
FROM sellers
WHERE negative > 0
ORDER BY negative DESC, negative_pct DESC, seller_id
LIMIT $limit;
