-- number = 100
-- group = "Churn & Retention"
-- title = "What drives customer satisfaction most?"
-- columns = "factor* reviews# correlation.4 explained_pct score_low_quarter score_high_quarter"
-- key = ["factor"]
-- chart = { kind = "bar", x = "factor", y = ["explained_pct"] }
-- finding = [
--   "{first.factor} goes most with the score: it explains {first.explained_pct} of its variation; the mean score is {first.score_low_quarter} in the quarter where it is lowest, {first.score_high_quarter} where it is highest.",
-- ]
-- definition = """
-- Reviews of deliveries with lines where the factor is known. score_low_quarter (score_high_quarter): mean score
-- where it is at most its 25 % (at least its 75 %) quantile over these reviews. Factors: delivery_days, days_late,
-- days_before_promise, promised_days (32); lines, sellers, order_value, freight_pct, installments of the order;
-- distance_km; photos, description_length of the first line's product. Correlation with score; explained_pct = 100 x
-- its square, unrounded, null below 30. Sort: -absolute correlation, factor.
-- """
-- caveat = ""
-- terms = ["delivery, late", "review", "distance", "method, installments of an order", "correlation, trend, MAPE"]
-- [made_of]
-- correlation = ["value", "score", "reviews"]
-- explained_pct = ["value", "score", "reviews"]
-- score_low_quarter = ["low_quarter_score", "low_quarter_reviews"]
-- score_high_quarter = ["high_quarter_score", "high_quarter_reviews"]

-- answer:
WITH listed (factor) AS (
    VALUES ('delivery_days'), ('days_late'), ('days_before_promise'), ('promised_days'), ('lines'), ('sellers'),
        ('order_value'), ('freight_pct'), ('installments'), ('distance_km'), ('photos'), ('description_length')
), known AS (
    SELECT factor, measured.value::float8 AS value, v.score
    FROM orders AS o
    JOIN reviews AS v USING (order_id)
    LEFT JOIN product_performance AS p ON p.product_id = o.first_product_id
    CROSS JOIN LATERAL (
        VALUES
            ('delivery_days', o.delivery_seconds / 86400.0),
            ('days_late', o.days_late),
            ('days_before_promise', o.promised_by::date - o.delivered_at::date),
            ('promised_days', o.promised_by::date - o.placed_on),
            ('lines', o.item_count),
            ('sellers', o.seller_count),
            ('order_value', o.value),
            ('freight_pct', 100 * o.freight / nullif(o.value, 0)),
            ('installments', o.max_installments),
            ('distance_km', o.distance_km),
            ('photos', p.photos),
            ('description_length', p.description_length)
    ) AS measured (factor, value)
    WHERE o.is_delivery AND o.item_count > 0 AND measured.value IS NOT NULL
), quarters AS (
    SELECT
        factor,
        percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY value) AS bound,
        count(*) AS reviews,
        CASE WHEN count(*) >= 30 AND min(value) < max(value) AND min(score) < max(score)
            THEN corr(value, score)
        END AS correlation
    FROM known
    GROUP BY factor
), compared AS (
    SELECT
        factor,
        avg(score) FILTER (WHERE value <= bound[1]) AS low,
        avg(score) FILTER (WHERE value >= bound[2]) AS high
    FROM known JOIN quarters USING (factor)
    GROUP BY factor
), figures AS (
    SELECT
        factor,
        coalesce(reviews, 0)::int AS reviews,
        round(correlation::numeric, 4) AS correlation,
        round((100 * correlation * correlation)::numeric, 2) AS explained_pct,
        round(low, 2) AS score_low_quarter,
        round(high, 2) AS score_high_quarter
    FROM listed
    LEFT JOIN quarters USING (factor)
    LEFT JOIN compared USING (factor)
)
SELECT *
FROM figures
ORDER BY abs(correlation) DESC NULLS LAST, factor COLLATE "C"

-- rows:
WITH known AS (
    SELECT factor, measured.value::float8 AS value, v.score, v.review_id || '/' || order_id AS review
    FROM orders AS o
    JOIN reviews AS v USING (order_id)
    LEFT JOIN product_performance AS p ON p.product_id = o.first_product_id
    CROSS JOIN LATERAL (
        VALUES
            ('delivery_days', o.delivery_seconds / 86400.0),
            ('days_late', o.days_late),
            ('days_before_promise', o.promised_by::date - o.delivered_at::date),
            ('promised_days', o.promised_by::date - o.placed_on),
            ('lines', o.item_count),
            ('sellers', o.seller_count),
            ('order_value', o.value),
            ('freight_pct', 100 * o.freight / nullif(o.value, 0)),
            ('installments', o.max_installments),
            ('distance_km', o.distance_km),
            ('photos', p.photos),
            ('description_length', p.description_length)
    ) AS measured (factor, value)
    WHERE o.is_delivery AND o.item_count > 0 AND measured.value IS NOT NULL
), quarters AS (
    SELECT factor, percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY value) AS bound FROM known GROUP BY factor
)
SELECT factor, measure, 'customer.fact_review' AS "table", review AS key, part
FROM known
JOIN quarters USING (factor)
CROSS JOIN LATERAL (
    VALUES
        ('reviews', 1),
        ('score', score),
        ('value', round(value::numeric, 4)),
        ('low_quarter_reviews', (value <= bound[1])::int),
        ('low_quarter_score', CASE WHEN value <= bound[1] THEN score END),
        ('high_quarter_reviews', (value >= bound[2])::int),
        ('high_quarter_score', CASE WHEN value >= bound[2] THEN score END)
) AS figure (measure, part)
WHERE part <> 0
