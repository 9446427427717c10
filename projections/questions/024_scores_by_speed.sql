-- number = 24
-- group = "Delivery Performance"
-- title = "How do scores fall as deliveries take longer?"
-- columns = "delivery_days* reviews# avg_score positive_pct negative_pct correlation.4"
-- key = ["delivery_days"]
-- chart = { kind = "bar", x = "delivery_days", y = ["avg_score"] }
-- finding = [
--   "Deliveries within three days score {is(0-3).avg_score}, those beyond thirty days {is(30+).avg_score}, with {is(30+).negative_pct} negative reviews; over all, days and score correlate with {all.correlation}.",
--   "Deliveries score {all.avg_score}; those of {low(avg_score).delivery_days} days score least, {low(avg_score).avg_score}.",
-- ]
-- definition = """
-- Reviews of deliveries by speed band, and all. Correlation of delivery days with score over reviews.
-- """
-- caveat = ""
-- terms = ["delivery, late", "review", "correlation, trend, MAPE"]
-- [made_of]
-- avg_score = ["score", "reviews"]
-- positive_pct = ["positive", "reviews"]
-- negative_pct = ["negative", "reviews"]
-- correlation = ["delivery_seconds", "score"]

-- answer:
WITH band (place, delivery_days) AS (
    VALUES (-1, 'all'), (0, '0-3'), (1, '3-7'), (2, '7-14'), (3, '14-21'), (4, '21-30'), (5, '30+')
), reviewed AS (
    SELECT width_bucket(delivery_seconds / 86400, ARRAY[3, 7, 14, 21, 30]) AS place, delivery_seconds AS seconds, score
    FROM reviews
    WHERE is_delivery
), counted AS (
    SELECT
        coalesce(place, -1) AS place,
        count(*) AS n,
        sum(score) AS score,
        count(*) FILTER (WHERE score >= 4) AS positive,
        count(*) FILTER (WHERE score <= 2) AS negative,
        CASE
            WHEN place IS NULL AND count(*) >= 30 AND min(seconds) < max(seconds) AND min(score) < max(score)
            THEN corr(seconds, score)
        END AS correlation
    FROM reviewed
    GROUP BY GROUPING SETS ((), (place))
)
SELECT
    delivery_days,
    coalesce(n, 0)::int AS reviews,
    round(1.0 * score / nullif(n, 0), 2) AS avg_score,
    round(100.0 * positive / nullif(n, 0), 2) AS positive_pct,
    round(100.0 * negative / nullif(n, 0), 2) AS negative_pct,
    round(correlation::numeric, 4) AS correlation
FROM band LEFT JOIN counted USING (place)
ORDER BY place

-- rows:
WITH band (place, delivery_days) AS (
    VALUES (0, '0-3'), (1, '3-7'), (2, '7-14'), (3, '14-21'), (4, '21-30'), (5, '30+')
)
SELECT of_row.delivery_days, measure, 'customer.fact_review' AS "table", review_id || '/' || order_id AS key, part
FROM reviews
JOIN band AS b ON place = width_bucket(delivery_seconds / 86400, ARRAY[3, 7, 14, 21, 30])
CROSS JOIN LATERAL (VALUES ('all'), (b.delivery_days)) AS of_row (delivery_days)
CROSS JOIN LATERAL (
    VALUES
        ('reviews', 1),
        ('score', score),
        ('positive', (score >= 4)::int),
        ('negative', (score <= 2)::int),
        ('delivery_seconds', delivery_seconds)
) AS figure (measure, part)
WHERE is_delivery AND part <> 0
