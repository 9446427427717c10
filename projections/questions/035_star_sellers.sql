-- number = 35
-- group = "Customer Satisfaction Metrics"
-- title = "How do scores vary by seller, and who are our stars?"
-- columns = "seller_id* seller_state* reviews# avg_score positive_pct negative_pct late_pct star*"
-- key = ["seller_id"]
-- chart = { kind = "table" }
-- finding = [
--   "Of the {rows} [seller|sellers] with the best scores, the first has {first.avg_score} from {first.reviews} [review|reviews], the last {last.avg_score}; {top(late_pct).late_pct} of deliveries are late at the least punctual of them.",
--   "Of the {rows} [seller|sellers] with the best scores, the first has {first.avg_score} from {first.reviews} [review|reviews], the last {last.avg_score}.",
--   "No seller has enough reviews.",
-- ]
-- definition = """
-- Reviews of all orders by seller; late_pct of his deliveries. star: yes if avg_score >= 4.50 and late_pct <= 5.00,
-- else no. Sort: -avg_score, -reviews, seller_id.
-- """
-- caveat = ""
-- terms = ["review", "delivery, late", "seller"]
-- [parameters]
-- min_reviews = { default = 10, minimum = 0 }
-- limit = { default = 30, minimum = 1 }
-- [made_of]
-- seller_state = []
-- avg_score = ["score_sum", "reviews"]
-- positive_pct = ["positive", "reviews"]
-- negative_pct = ["negative", "reviews"]
-- late_pct = ["late", "promised"]
-- star = ["score_sum", "reviews", "late", "promised"]

-- answer:
WITH due AS (  -- deliveries with a promise
    SELECT seller_id, count(DISTINCT order_id) AS promised
    FROM lines JOIN orders AS o USING (order_id)
    WHERE o.days_late IS NOT NULL
    GROUP BY seller_id
), shown AS (
    SELECT
        seller_id,
        state AS seller_state,
        reviews,
        round(1.0 * score_sum / reviews, 2) AS avg_score,
        round(100.0 * positive / reviews, 2) AS positive_pct,
        round(100.0 * negative / reviews, 2) AS negative_pct,
        round(100.0 * late / nullif(promised, 0), 2) AS late_pct
    FROM seller_scorecard LEFT JOIN due USING (seller_id)
    WHERE reviews >= greatest(:min_reviews, 1)
)
SELECT
    seller_id,
    seller_state,
    reviews,
    avg_score,
    positive_pct,
    negative_pct,
    late_pct,
    CASE WHEN avg_score >= 4.50 AND late_pct <= 5.00 THEN 'yes' ELSE 'no' END AS star
FROM shown
ORDER BY avg_score DESC, reviews DESC, seller_id
LIMIT :limit

-- rows:
WITH sold AS (
    SELECT DISTINCT seller_id, order_id FROM lines WHERE seller_id IS NOT NULL
)
SELECT seller_id, measure, 'customer.fact_review' AS "table", review_id || '/' || order_id AS key, part
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
UNION ALL
SELECT seller_id, measure, 'fulfillment.fact_delivery', order_id::text, part
FROM sold
JOIN orders USING (order_id)
CROSS JOIN LATERAL (
    VALUES
        ('promised', (days_late IS NOT NULL)::int),
        ('late', (days_late > 0)::int)
) AS figure (measure, part)
WHERE is_delivery AND part <> 0
