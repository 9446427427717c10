-- number = 32
-- group = "Customer Satisfaction Metrics"
-- title = "Which part of the timing weighs most on the score?"
-- columns = "measure* reviews# correlation.4 avg_when_positive avg_when_negative"
-- key = ["measure"]
-- chart = { kind = "bar", x = "measure", y = ["correlation"] }
-- finding = [
--   "The score goes most with {first.measure} (correlation {first.correlation}): {first.avg_when_positive} days where customers are happy, {first.avg_when_negative} where they are not.",
--   "There are too few reviews to tell what weighs on the score.",
-- ]
-- definition = """
-- Reviews of deliveries where the measure is known: delivery_days, days_late, days_before_promise (promised date -
-- delivered date), promised_days (promised date - placed date), days_to_approval, days_to_handover,
-- days_in_transit (delivered_at - shipped_at). Its correlation with score, its mean at positive and at negative
-- scores. Sort: -absolute correlation, measure.
-- """
-- caveat = ""
-- terms = ["delivery, late", "review", "correlation, trend, MAPE"]
-- [made_of]
-- correlation = ["seconds", "score"]
-- avg_when_positive = ["seconds_when_positive", "positive"]
-- avg_when_negative = ["seconds_when_negative", "negative"]

-- answer:
WITH listed (measure) AS (
    VALUES
        ('delivery_days'), ('days_late'), ('days_before_promise'), ('promised_days'), ('days_to_approval'),
        ('days_to_handover'), ('days_in_transit')
), timed AS (
    SELECT timing.measure, v.score, seconds
    FROM reviews AS v JOIN orders AS o USING (order_id)
    CROSS JOIN LATERAL (
        VALUES
            ('delivery_days', o.delivery_seconds),
            ('days_late', 86400::bigint * o.days_late),
            ('days_before_promise', 86400::bigint * (promised_by::date - delivered_at::date)),
            ('promised_days', 86400::bigint * (promised_by::date - placed_on)),
            ('days_to_approval', extract(epoch FROM approved_at - o.placed_at)::bigint),
            ('days_to_handover', extract(epoch FROM shipped_at - o.placed_at)::bigint),
            ('days_in_transit', extract(epoch FROM delivered_at - shipped_at)::bigint)
    ) AS timing (measure, seconds)
    WHERE v.is_delivery AND seconds IS NOT NULL
), counted AS (
    SELECT
        measure,
        count(*) AS n,
        CASE
            WHEN count(*) >= 30 AND min(seconds) < max(seconds) AND min(score) < max(score)
            THEN round(corr(seconds, score)::numeric, 4)
        END AS correlation,
        sum(seconds) FILTER (WHERE score >= 4) / (86400 * count(*) FILTER (WHERE score >= 4)) AS when_positive,
        sum(seconds) FILTER (WHERE score <= 2) / (86400 * count(*) FILTER (WHERE score <= 2)) AS when_negative
    FROM timed
    GROUP BY measure
)
SELECT
    measure,
    coalesce(n, 0)::int AS reviews,
    correlation,
    round(when_positive, 2) AS avg_when_positive,
    round(when_negative, 2) AS avg_when_negative
FROM listed LEFT JOIN counted USING (measure)
ORDER BY abs(correlation) DESC NULLS LAST, measure COLLATE "C"

-- rows:
SELECT
    timing.measure,
    figure.measure,
    'customer.fact_review' AS "table",
    v.review_id || '/' || v.order_id AS key,
    part
FROM reviews AS v JOIN orders AS o USING (order_id)
CROSS JOIN LATERAL (
    VALUES
        ('delivery_days', o.delivery_seconds),
        ('days_late', 86400::bigint * o.days_late),
        ('days_before_promise', 86400::bigint * (promised_by::date - delivered_at::date)),
        ('promised_days', 86400::bigint * (promised_by::date - placed_on)),
        ('days_to_approval', extract(epoch FROM approved_at - o.placed_at)::bigint),
        ('days_to_handover', extract(epoch FROM shipped_at - o.placed_at)::bigint),
        ('days_in_transit', extract(epoch FROM delivered_at - shipped_at)::bigint)
) AS timing (measure, seconds)
CROSS JOIN LATERAL (
    VALUES
        ('reviews', 1),
        ('score', score),
        ('seconds', seconds),
        ('positive', (score >= 4)::int),
        ('seconds_when_positive', CASE WHEN score >= 4 THEN seconds END),
        ('negative', (score <= 2)::int),
        ('seconds_when_negative', CASE WHEN score <= 2 THEN seconds END)
) AS figure (measure, part)
WHERE v.is_delivery AND seconds IS NOT NULL AND part <> 0
