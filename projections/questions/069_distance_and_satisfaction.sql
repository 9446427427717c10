-- number = 69
-- group = "Market Penetration"
-- title = "Does distance cost satisfaction?"
-- columns = "distance_km* deliveries# avg_score avg_delivery_days late_pct avg_freight correlation.4"
-- key = ["distance_km"]
-- chart = { kind = "bar", x = "distance_km", y = ["avg_score"] }
-- finding = [
--   "Scores run from {is(0-100).avg_score} within 100 km to {is(2000+).avg_score} beyond 2,000 km, where a delivery takes {is(2000+).avg_delivery_days} days; distance and score correlate at {all.correlation}.",
--   "Over all distances the mean score is {all.avg_score}, and a delivery takes {all.avg_delivery_days} days.",
-- ]
-- definition = """
-- Deliveries with known distance by distance band, and all. Correlation of distance with score over reviews.
-- """
-- caveat = ""
-- terms = ["delivery, late", "distance", "review", "correlation, trend, MAPE"]
-- [made_of]
-- avg_score = ["score", "reviews"]
-- avg_delivery_days = ["delivery_seconds", "deliveries"]
-- late_pct = ["late", "promised"]
-- avg_freight = ["freight", "deliveries"]
-- correlation = ["kilometres", "score", "reviews"]

-- answer:
WITH band (place, distance_km) AS (
    VALUES (0, 'all'), (1, '0-100'), (2, '100-300'), (3, '300-600'), (4, '600-1000'), (5, '1000-2000'), (6, '2000+')
), delivery AS (
    SELECT
        order_id,
        distance_km AS kilometres,
        width_bucket(distance_km, ARRAY[0, 100, 300, 600, 1000, 2000]::float8[]) AS place,
        delivery_seconds,
        days_late,
        freight
    FROM orders
    WHERE is_delivery AND distance_km IS NOT NULL
), of_deliveries AS (
    SELECT
        coalesce(place, 0) AS place,
        count(*) AS deliveries,
        sum(delivery_seconds) AS delivery_seconds,
        count(days_late) AS promised,
        count(*) FILTER (WHERE days_late > 0) AS late,
        sum(freight) AS freight
    FROM delivery
    GROUP BY GROUPING SETS ((place), ())
), of_reviews AS (
    SELECT
        coalesce(place, 0) AS place,
        count(*) AS reviews,
        sum(score) AS score,
        CASE WHEN count(*) >= 30 AND min(kilometres) < max(kilometres) AND min(score) < max(score)
            THEN corr(kilometres, score)
        END AS correlation
    FROM delivery JOIN reviews USING (order_id)
    GROUP BY GROUPING SETS ((place), ())
)
SELECT
    distance_km,
    coalesce(deliveries, 0)::int AS deliveries,
    round(1.0 * score / nullif(reviews, 0), 2) AS avg_score,
    round(delivery_seconds / nullif(86400.0 * deliveries, 0), 2) AS avg_delivery_days,
    round(100.0 * late / nullif(promised, 0), 2) AS late_pct,
    round(freight / nullif(deliveries, 0), 2) AS avg_freight,
    CASE WHEN place = 0 THEN round(correlation::numeric, 4) END AS correlation
FROM band
LEFT JOIN of_deliveries USING (place)
LEFT JOIN of_reviews USING (place)
ORDER BY place

-- rows:
WITH delivery AS (
    SELECT o.order_id, o.delivery_seconds, o.days_late, o.freight, o.distance_km, b.name AS band
    FROM orders AS o
    CROSS JOIN LATERAL (
        VALUES
            ('all'),
            ((ARRAY['0-100', '100-300', '300-600', '600-1000', '1000-2000', '2000+'])[
                width_bucket(o.distance_km, ARRAY[0, 100, 300, 600, 1000, 2000]::float8[])
            ])
    ) AS b (name)
    WHERE o.is_delivery AND o.distance_km IS NOT NULL
)
SELECT band AS distance_km, measure, "table", order_id::text AS key, part
FROM delivery
CROSS JOIN LATERAL (
    VALUES
        ('deliveries', 'fulfillment.fact_delivery', 1),
        ('delivery_seconds', 'fulfillment.fact_delivery', delivery_seconds),
        ('promised', 'fulfillment.fact_delivery', (days_late IS NOT NULL)::int),
        ('late', 'fulfillment.fact_delivery', (days_late > 0)::int),
        ('freight', 'sales.fact_order', freight),
        ('kilometres', 'fulfillment.fact_delivery', CASE WHEN band = 'all' THEN round(distance_km::numeric, 3) END)
) AS figure (measure, "table", part)
WHERE part <> 0
UNION ALL
SELECT band, measure, 'customer.fact_review', review_id || '/' || order_id, part
FROM delivery
JOIN reviews AS v USING (order_id)
CROSS JOIN LATERAL (VALUES ('reviews', 1), ('score', v.score)) AS figure (measure, part)
