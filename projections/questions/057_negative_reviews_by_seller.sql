-- number = 57
-- group = "Seller Health"
-- title = "Which sellers get the most negative reviews?"
-- columns = "seller_id* seller_state* reviews# negative_reviews# negative_pct avg_score"
-- key = ["seller_id"]
-- chart = { kind = "table" }
-- finding = [
--   "The seller with most negative reviews got {first.negative_reviews} of {first.reviews}, {first.negative_pct}; of those listed, the one with the greatest share got {top(negative_pct).negative_pct}.",
--   "There is no negative review so far.",
-- ]
-- definition = """
-- Reviews of all orders by seller, sellers with a negative one. Sort: -negative_reviews, -negative_pct, seller_id.
-- """
-- caveat = ""
-- terms = ["review", "seller"]
-- [parameters]
-- limit = { default = 20, minimum = 1 }
-- [made_of]
-- seller_state = []
-- negative_pct = ["negative_reviews", "reviews"]
-- avg_score = ["score_sum", "reviews"]

-- answer:
SELECT
    seller_id,
    state AS seller_state,
    reviews,
    negative AS negative_reviews,
    round(100.0 * negative / reviews, 2) AS negative_pct,
    round(1.0 * score_sum / reviews, 2) AS avg_score
FROM seller_scorecard
WHERE negative > 0
ORDER BY negative_reviews DESC, negative_pct DESC, seller_id
LIMIT :limit

-- rows:
SELECT seller_id, measure, 'customer.fact_review' AS "table", review_id || '/' || order_id AS key, part
FROM (SELECT DISTINCT seller_id, order_id FROM lines WHERE seller_id IS NOT NULL) AS sold
JOIN reviews USING (order_id)
CROSS JOIN LATERAL (
    VALUES
        ('reviews', 1),
        ('negative_reviews', (score <= 2)::int),
        ('score_sum', score)
) AS figure (measure, part)
WHERE part <> 0
