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
-- terms = ["delivery, late", "review", "distance", "method, installments of an order", "correlation, trend, MAPE", "seller"]
-- [made_of]
-- correlation = ["value", "score", "reviews"]
-- explained_pct = ["value", "score", "reviews"]
-- score_low_quarter = ["low_quarter_score", "low_quarter_reviews"]
-- score_high_quarter = ["high_quarter_score", "high_quarter_reviews"]

-- answer:
WITH listed (place, factor) AS (
    VALUES
        (1, 'delivery_days'), (2, 'days_late'), (3, 'days_before_promise'), (4, 'promised_days'),
        (5, 'lines'), (6, 'sellers'), (7, 'order_value'), (8, 'freight_pct'), (9, 'installments'),
        (10, 'distance_km'), (11, 'photos'), (12, 'description_length')
), known AS (
    SELECT
        v.score,
        ARRAY[
            o.delivery_seconds / 86400.0,
            o.days_late,
            o.promised_by::date - o.delivered_at::date,
            o.promised_by::date - o.placed_on,
            o.item_count,
            o.seller_count,
            o.value,
            100 * o.freight / nullif(o.value, 0),
            o.max_installments,
            o.distance_km,
            nullif(p.photos, 0),
            p.description_length
        ]::float8[] AS factors
    FROM orders AS o
    JOIN reviews AS v USING (order_id)
    LEFT JOIN product_performance AS p ON p.product_id = o.first_product_id
    WHERE o.is_delivery AND o.item_count > 0
), quarters AS (
    SELECT place, factor, found.*
    FROM listed
    CROSS JOIN LATERAL (
        SELECT
            count(factors[place]) AS reviews,
            percentile_disc(ARRAY[0, 0.25, 0.75, 1]) WITHIN GROUP (ORDER BY factors[place]) AS bound,
            corr(score, factors[place]) AS correlation
        FROM known
    ) AS found
), figures AS (
    SELECT
        factor,
        reviews::int AS reviews,
        CASE WHEN varies THEN round(correlation::numeric, 4) END AS correlation,
        CASE WHEN varies THEN round((100 * correlation * correlation)::numeric, 2) END AS explained_pct,
        round(low, 2) AS score_low_quarter,
        round(high, 2) AS score_high_quarter
    FROM quarters
    CROSS JOIN LATERAL (SELECT reviews >= 30 AND bound[1] < bound[4] AS varies) AS enough
    CROSS JOIN LATERAL (
        SELECT
            avg(score) FILTER (WHERE factors[place] <= bound[2]) AS low,
            avg(score) FILTER (WHERE factors[place] >= bound[3]) AS high
        FROM known
    ) AS compared
)
SELECT *
FROM figures
ORDER BY abs(correlation) DESC NULLS LAST, factor COLLATE "C"

-- rows:
WITH listed (place, factor) AS (
    VALUES
        (1, 'delivery_days'), (2, 'days_late'), (3, 'days_before_promise'), (4, 'promised_days'),
        (5, 'lines'), (6, 'sellers'), (7, 'order_value'), (8, 'freight_pct'), (9, 'installments'),
        (10, 'distance_km'), (11, 'photos'), (12, 'description_length')
), known AS (
    SELECT
        v.score,
        v.review_id || '/' || order_id AS review,
        ARRAY[
            o.delivery_seconds / 86400.0,
            o.days_late,
            o.promised_by::date - o.delivered_at::date,
            o.promised_by::date - o.placed_on,
            o.item_count,
            o.seller_count,
            o.value,
            100 * o.freight / nullif(o.value, 0),
            o.max_installments,
            o.distance_km,
            nullif(p.photos, 0),
            p.description_length
        ]::float8[] AS factors
    FROM orders AS o
    JOIN reviews AS v USING (order_id)
    LEFT JOIN product_performance AS p ON p.product_id = o.first_product_id
    WHERE o.is_delivery AND o.item_count > 0
), quarters AS (
    SELECT place, factor, found.bound
    FROM listed
    CROSS JOIN LATERAL (
        SELECT percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY factors[place]) AS bound FROM known
    ) AS found
)
SELECT q.factor, measure, 'customer.fact_review' AS "table", k.review AS key, part
FROM quarters AS q
CROSS JOIN known AS k
CROSS JOIN LATERAL (SELECT k.factors[q.place] AS value) AS measured
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
WHERE value IS NOT NULL AND part <> 0
