-- number = 28
-- group = "Operational Efficiency"
-- title = "Between which regions do deliveries come late?"
-- columns = "origin_region* destination_region* deliveries# late# late_pct share_of_late_pct avg_days_late"
-- key = ["origin_region", "destination_region"]
-- chart = { kind = "heat map", x = "destination_region", y = "origin_region", value = "late_pct" }
-- finding = [
--   "Most late deliveries go from {top(late).origin_region} to {top(late).destination_region}: {top(late).late}, {top(late).share_of_late_pct} of all late ones; the share that is late is highest from {top(late_pct).origin_region} to {top(late_pct).destination_region}, {top(late_pct).late_pct} of those promised.",
--   "No delivery was late on the {rows} [route|routes] between regions: {top(late_pct).late_pct} of those promised.",
--   "Of no delivery from {top(deliveries).origin_region} to {top(deliveries).destination_region} or elsewhere is known until when it was promised.",
-- ]
-- definition = """
-- Deliveries with lines by region of the first line's seller and region of the order, pairs that occur.
-- share_of_late_pct: of all late ones. Sort: origin_region, destination_region.
-- """
-- caveat = ""
-- terms = ["state, region, city of an order", "category", "delivery, late"]
-- [made_of]
-- late_pct = ["late", "promised"]
-- share_of_late_pct = ["late"]
-- avg_days_late = ["days_late", "late"]

-- answer:
WITH counted AS (
    SELECT
        origin_region,
        region AS destination_region,
        count(*) AS deliveries,
        count(days_late) AS promised,
        count(*) FILTER (WHERE days_late > 0) AS late,
        sum(days_late) AS days_late
    FROM orders
    WHERE is_delivery AND item_count > 0
    GROUP BY origin_region, region
)
SELECT
    origin_region,
    destination_region,
    deliveries::int AS deliveries,
    late::int AS late,
    round(100.0 * late / nullif(promised, 0), 2) AS late_pct,
    round(100.0 * late / nullif(sum(late) OVER (), 0), 2) AS share_of_late_pct,
    round(1.0 * days_late / nullif(late, 0), 2) AS avg_days_late
FROM counted
ORDER BY origin_region COLLATE "C", destination_region COLLATE "C"

-- rows:
SELECT
    origin_region,
    region AS destination_region,
    measure,
    'fulfillment.fact_delivery' AS "table",
    order_id::text AS key,
    part
FROM orders
CROSS JOIN LATERAL (
    VALUES
        ('deliveries', 1),
        ('promised', (days_late IS NOT NULL)::int),
        ('late', (days_late > 0)::int),
        ('days_late', days_late)
) AS figure (measure, part)
WHERE is_delivery AND item_count > 0 AND part <> 0
