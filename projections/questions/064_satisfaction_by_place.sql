-- number = 64
-- group = "Regional Performance"
-- title = "How does satisfaction vary by region and state?"
-- columns = "level* place* reviews# avg_score positive_pct negative_pct nps"
-- key = ["level", "place"]
-- chart = { kind = "map", x = "place", y = ["avg_score"] }
-- finding = [
--   "Customers in {top(avg_score).place} are the most satisfied, {top(avg_score).avg_score} on average from {top(avg_score).reviews} [review|reviews]; those in {low(avg_score).place} the least: {low(avg_score).avg_score}, with {low(avg_score).negative_pct} negative reviews.",
--   "There are no reviews yet.",
-- ]
-- definition = """
-- Reviews of all orders by level region, then state. Sort: level (as listed), -avg_score, place.
-- """
-- caveat = ""
-- terms = ["review", "state, region, city of an order"]
-- [made_of]
-- avg_score = ["score_sum", "reviews"]
-- positive_pct = ["positive", "reviews"]
-- negative_pct = ["negative", "reviews"]
-- nps = ["promoters", "detractors", "reviews"]

-- answer:
SELECT
    level,
    place,
    count(*)::int AS reviews,
    round(1.0 * sum(score) / count(*), 2) AS avg_score,
    round(100.0 * count(*) FILTER (WHERE score >= 4) / count(*), 2) AS positive_pct,
    round(100.0 * count(*) FILTER (WHERE score <= 2) / count(*), 2) AS negative_pct,
    round(100.0 * (count(*) FILTER (WHERE score = 5) - count(*) FILTER (WHERE score <= 3)) / count(*), 2) AS nps
FROM reviews
CROSS JOIN LATERAL (VALUES (1, 'region', region), (2, 'state', state)) AS places (rank, level, place)
GROUP BY rank, level, place
ORDER BY rank, avg_score DESC, place COLLATE "C"

-- rows:
SELECT level, place, measure, 'customer.fact_review' AS "table", review_id || '/' || order_id AS key, part
FROM reviews
CROSS JOIN LATERAL (VALUES ('region', region), ('state', state)) AS places (level, place)
CROSS JOIN LATERAL (
    VALUES
        ('reviews', 1),
        ('score_sum', score),
        ('positive', (score >= 4)::int),
        ('negative', (score <= 2)::int),
        ('promoters', (score = 5)::int),
        ('detractors', (score <= 3)::int)
) AS figure (measure, part)
WHERE part <> 0
