-- number = 44
-- group = "Product Performance"
-- title = "Which products are rated best?"
-- columns = "product_id* category* reviews# avg_score damped_score.4"
-- key = ["product_id"]
-- chart = { kind = "table" }
-- finding = [
--   "The product rated best, of {first.category}, has {first.avg_score} from {first.reviews} [review|reviews]; with its few reviews damped by the mean of all, that counts as {first.damped_score}.",
--   "No product has enough reviews.",
-- ]
-- definition = """
-- Reviews of delivered orders by product. damped_score = (prior_reviews x m + sum of scores) / (prior_reviews +
-- reviews), m the mean score of reviews of delivered orders. Sort: -damped_score, -reviews, product_id.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "category", "review"]
-- [parameters]
-- min_reviews = { default = 5, minimum = 0 }
-- prior_reviews = { default = 5, minimum = 0 }
-- limit = { default = 20, minimum = 1 }
-- [made_of]
-- category = []
-- avg_score = ["score_sum", "reviews"]
-- damped_score = ["score_sum", "reviews"]

-- answer:
WITH everything AS (
    SELECT sum(score) AS score_sum, count(*) AS reviews FROM reviews WHERE is_delivered
)
SELECT
    product_id,
    category,
    p.reviews,
    round(1.0 * p.score_sum / p.reviews, 2) AS avg_score,
    round(
        (1.0 * :prior_reviews * e.score_sum + 1.0 * p.score_sum * e.reviews)
        / (1.0 * e.reviews * (:prior_reviews + p.reviews)), 4
    ) AS damped_score
FROM product_performance AS p CROSS JOIN everything AS e
WHERE p.reviews >= greatest(:min_reviews, 1)
ORDER BY damped_score DESC, reviews DESC, product_id
LIMIT :limit

-- rows:
WITH sold AS (
    SELECT DISTINCT product_id, order_id FROM lines WHERE is_delivered
)
SELECT product_id, measure, 'customer.fact_review' AS "table", review_id || '/' || order_id AS key, part
FROM sold
JOIN reviews USING (order_id)
CROSS JOIN LATERAL (VALUES ('reviews', 1), ('score_sum', score)) AS figure (measure, part)
