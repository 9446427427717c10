-- min_reviews=5 prior_reviews=5 limit=20
-- Reviews of delivered orders by product, damped as if each product had a few average reviews more.
WITH order_products AS (
    SELECT DISTINCT order_id, product_id, category FROM q.lines
), everything AS (
    SELECT count(*) AS all_reviews, sum(score) AS all_scores FROM q.reviews WHERE is_delivered
), products AS (
    SELECT product_id, category, count(*) AS reviews, sum(score) AS scores
    FROM q.reviews JOIN order_products USING (order_id)
    WHERE is_delivered
    GROUP BY product_id, category
    HAVING count(*) >= $min_reviews
)
SELECT product_id, category,
    CAST(reviews AS INTEGER) AS reviews,
    q2(scores, reviews) AS avg_score,
    q4($prior_reviews * all_scores + scores * all_reviews, ($prior_reviews + products.reviews) * all_reviews)
        AS damped_score
FROM products CROSS JOIN everything
ORDER BY damped_score DESC, products.reviews DESC, product_id
LIMIT $limit;
