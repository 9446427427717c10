-- number = 34
-- group = "Customer Satisfaction Metrics"
-- title = "Which categories satisfy customers most and least?"
-- columns = "category* reviews# avg_score positive_pct negative_pct"
-- key = ["category"]
-- chart = { kind = "bar", x = "category", y = ["avg_score"] }
-- finding = [
--   "Customers are most satisfied with {top(avg_score).category}, {top(avg_score).avg_score} on average, and least with {low(avg_score).category}: {low(avg_score).avg_score}, where {low(avg_score).negative_pct} of {low(avg_score).reviews} [review is|reviews are] negative.",
--   "No category has enough reviews.",
-- ]
-- definition = """
-- Reviews of delivered orders by category. Sort: -avg_score, -reviews, category.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "category", "review"]
-- [parameters]
-- min_reviews = { default = 20, minimum = 0 }
-- [made_of]
-- avg_score = ["score_sum", "reviews"]
-- positive_pct = ["positive", "reviews"]
-- negative_pct = ["negative", "reviews"]

-- answer:
WITH sold AS (
    SELECT DISTINCT order_id, category FROM lines WHERE is_delivered
)
SELECT
    category,
    count(*)::int AS reviews,
    round(1.0 * sum(score) / count(*), 2) AS avg_score,
    round(100.0 * count(*) FILTER (WHERE score >= 4) / count(*), 2) AS positive_pct,
    round(100.0 * count(*) FILTER (WHERE score <= 2) / count(*), 2) AS negative_pct
FROM sold JOIN reviews USING (order_id)
GROUP BY category
HAVING count(*) >= :min_reviews
ORDER BY avg_score DESC, reviews DESC, category COLLATE "C"

-- rows:
WITH sold AS (
    SELECT DISTINCT order_id, category FROM lines WHERE is_delivered
)
SELECT category, measure, 'customer.fact_review' AS "table", review_id || '/' || order_id AS key, part
FROM sold
JOIN reviews USING (order_id)
CROSS JOIN LATERAL (
    VALUES
        ('reviews', 1),
        ('score_sum', score),
        ('positive', (score >= 4)::int),
        ('negative', (score <= 2)::int)
) AS figure (measure, part)
WHERE part <> 0
