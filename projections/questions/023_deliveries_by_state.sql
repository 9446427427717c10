-- number = 23
-- group = "Delivery Performance"
-- title = "Which states get the best and the worst deliveries?"
-- columns = "state* region* deliveries# avg_delivery_days on_time_pct late_pct avg_days_late"
-- key = ["state"]
-- chart = { kind = "map", x = "state", y = ["late_pct"] }
-- finding = [
--   "{first.state} is served best, with {first.on_time_pct} on time in {first.avg_delivery_days} days, and {last.state} worst: {last.late_pct} come late, after {last.avg_delivery_days} days; in {top(deliveries).state}, where most go, {top(deliveries).late_pct} are late.",
--   "A delivery is quickest to {low(avg_delivery_days).state}, in {low(avg_delivery_days).avg_delivery_days} days, and slowest to {top(avg_delivery_days).state}, in {top(avg_delivery_days).avg_delivery_days}.",
-- ]
-- definition = """
-- Deliveries by state. Sort: -on_time_pct, avg_delivery_days, state.
-- """
-- caveat = ""
-- terms = ["delivery, late", "state, region, city of an order"]
-- [parameters]
-- min_orders = { default = 10, minimum = 0 }
-- [made_of]
-- region = []
-- avg_delivery_days = ["delivery_seconds", "deliveries"]
-- on_time_pct = ["late", "promised"]
-- late_pct = ["late", "promised"]
-- avg_days_late = ["days_late", "late"]

-- answer:
WITH counted AS (
    SELECT
        state,
        region,
        count(*) AS n,
        count(days_late) AS promised,
        count(*) FILTER (WHERE days_late > 0) AS late,
        sum(days_late) AS days_late,
        sum(delivery_seconds) AS seconds
    FROM orders
    WHERE is_delivery
    GROUP BY state, region
    HAVING count(*) >= :min_orders
)
SELECT
    state,
    region,
    n::int AS deliveries,
    round(seconds / (86400 * n), 2) AS avg_delivery_days,
    round(100.0 * (promised - late) / nullif(promised, 0), 2) AS on_time_pct,
    round(100.0 * late / nullif(promised, 0), 2) AS late_pct,
    round(1.0 * days_late / nullif(late, 0), 2) AS avg_days_late
FROM counted
ORDER BY on_time_pct DESC NULLS LAST, avg_delivery_days, state COLLATE "C"

-- rows:
SELECT state, measure, 'fulfillment.fact_delivery' AS "table", order_id::text AS key, part
FROM orders
CROSS JOIN LATERAL (
    VALUES
        ('deliveries', 1),
        ('promised', (days_late IS NOT NULL)::int),
        ('late', (days_late > 0)::int),
        ('days_late', days_late),
        ('delivery_seconds', delivery_seconds)
) AS figure (measure, part)
WHERE is_delivery AND part <> 0
