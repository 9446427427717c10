-- number = 25
-- group = "Delivery Performance"
-- title = "Does a higher freight buy a faster delivery?"
-- columns = "freight_band* deliveries# avg_freight avg_delivery_days late_pct avg_distance_km correlation.4"
-- key = ["freight_band"]
-- chart = { kind = "bar", x = "freight_band", y = ["avg_delivery_days"] }
-- finding = [
--   "Freight and delivery days correlate with {all.correlation}: below R$ 10 a delivery takes {is(0-10).avg_delivery_days} days over {is(0-10).avg_distance_km} km, from R$ 50 it takes {is(50+).avg_delivery_days} days over {is(50+).avg_distance_km} km.",
--   "A delivery with {top(avg_delivery_days).freight_band} of freight takes longest, {top(avg_delivery_days).avg_delivery_days} days.",
-- ]
-- definition = """
-- Deliveries with lines by freight of the order: 0-10, 10-15, 15-20, 20-30, 30-50, 50+ BRL, and all. Distance
-- where known; correlation of freight with delivery days.
-- """
-- caveat = ""
-- terms = ["value, paid", "delivery, late", "distance", "correlation, trend, MAPE"]
-- [made_of]
-- avg_freight = ["freight", "deliveries"]
-- avg_delivery_days = ["delivery_seconds", "deliveries"]
-- late_pct = ["late", "promised"]
-- avg_distance_km = ["distance_km", "known_distances"]
-- correlation = ["freight", "delivery_seconds"]

-- answer:
WITH band (place, freight_band) AS (
    VALUES (-1, 'all'), (0, '0-10'), (1, '10-15'), (2, '15-20'), (3, '20-30'), (4, '30-50'), (5, '50+')
), delivery AS (
    SELECT
        width_bucket(freight, ARRAY[10.0, 15, 20, 30, 50]) AS place,
        freight,
        delivery_seconds AS seconds,
        days_late,
        distance_km
    FROM orders
    WHERE is_delivery AND item_count > 0
), counted AS (
    SELECT
        coalesce(place, -1) AS place,
        count(*) AS n,
        sum(freight) AS freight,
        sum(seconds) AS seconds,
        count(days_late) AS promised,
        count(*) FILTER (WHERE days_late > 0) AS late,
        avg(distance_km) AS distance_km,
        CASE
            WHEN place IS NULL AND count(*) >= 30 AND min(freight) < max(freight) AND min(seconds) < max(seconds)
            THEN corr(freight, seconds)
        END AS correlation
    FROM delivery
    GROUP BY GROUPING SETS ((), (place))
)
SELECT
    freight_band,
    coalesce(n, 0)::int AS deliveries,
    round(freight / nullif(n, 0), 2) AS avg_freight,
    round(seconds / nullif(86400 * n, 0), 2) AS avg_delivery_days,
    round(100.0 * late / nullif(promised, 0), 2) AS late_pct,
    round(distance_km::numeric, 2) AS avg_distance_km,
    round(correlation::numeric, 4) AS correlation
FROM band LEFT JOIN counted USING (place)
ORDER BY place

-- rows:
WITH band (place, freight_band) AS (
    VALUES (0, '0-10'), (1, '10-15'), (2, '15-20'), (3, '20-30'), (4, '30-50'), (5, '50+')
)
SELECT of_row.freight_band, measure, 'fulfillment.fact_delivery' AS "table", order_id::text AS key, part
FROM orders
JOIN band AS b ON place = width_bucket(freight, ARRAY[10.0, 15, 20, 30, 50])
CROSS JOIN LATERAL (VALUES ('all'), (b.freight_band)) AS of_row (freight_band)
CROSS JOIN LATERAL (
    VALUES
        ('deliveries', 1),
        ('freight', freight),
        ('delivery_seconds', delivery_seconds),
        ('promised', (days_late IS NOT NULL)::int),
        ('late', (days_late > 0)::int),
        ('distance_km', distance_km::numeric),
        ('known_distances', (distance_km IS NOT NULL)::int)
) AS figure (measure, part)
WHERE is_delivery AND item_count > 0 AND part <> 0
