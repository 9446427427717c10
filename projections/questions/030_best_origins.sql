-- number = 30
-- group = "Operational Efficiency"
-- title = "From where is each region served best?"
-- columns = "destination_region* rank# origin_state* deliveries# avg_delivery_days late_pct avg_freight"
-- key = ["destination_region", "rank"]
-- chart = { kind = "table" }
-- finding = [
--   "The shortest way of all is from {low(avg_delivery_days).origin_state} to {low(avg_delivery_days).destination_region}, {low(avg_delivery_days).avg_delivery_days} days; of the best origins, the slowest is {top(avg_delivery_days).origin_state} for {top(avg_delivery_days).destination_region}, with {top(avg_delivery_days).avg_delivery_days} days and {top(avg_delivery_days).late_pct} late.",
--   "The shortest way of all is from {low(avg_delivery_days).origin_state} to {low(avg_delivery_days).destination_region}, {low(avg_delivery_days).avg_delivery_days} days; of the best origins, the slowest is {top(avg_delivery_days).origin_state} for {top(avg_delivery_days).destination_region}, with {top(avg_delivery_days).avg_delivery_days} days.",
-- ]
-- definition = """
-- Deliveries with just one seller by region of the order and state of the seller, ranked in the region by
-- avg_delivery_days, late_pct, origin_state. Sort: destination_region, rank.
-- """
-- caveat = "No carriers in the data; origins stand for logistics partners."
-- terms = ["state, region, city of an order", "delivery, late", "seller"]
-- [parameters]
-- min_orders = { default = 10, minimum = 0 }
-- top = { default = 3, minimum = 1 }
-- [made_of]
-- origin_state = []
-- avg_delivery_days = ["delivery_seconds", "deliveries"]
-- late_pct = ["late", "promised"]
-- avg_freight = ["freight", "deliveries"]

-- answer:
WITH counted AS (
    SELECT
        region AS destination_region,
        origin_state,
        count(*)::int AS deliveries,
        round(sum(delivery_seconds) / (86400 * count(*)), 2) AS avg_delivery_days,
        round(100.0 * count(*) FILTER (WHERE days_late > 0) / nullif(count(days_late), 0), 2) AS late_pct,
        round(sum(freight) / count(*), 2) AS avg_freight
    FROM orders
    WHERE is_delivery AND seller_count = 1
    GROUP BY region, origin_state
    HAVING count(*) >= :min_orders
), ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY destination_region ORDER BY avg_delivery_days, late_pct, origin_state COLLATE "C"
        )::int AS rank
    FROM counted
)
SELECT destination_region, rank, origin_state, deliveries, avg_delivery_days, late_pct, avg_freight
FROM ranked
WHERE rank <= :top
ORDER BY destination_region COLLATE "C", rank

-- rows:
WITH delivery AS (
    SELECT
        order_id,
        region,
        origin_state,
        delivery_seconds,
        (days_late IS NOT NULL)::int AS promised,
        (days_late > 0)::int AS late,
        freight
    FROM orders
    WHERE is_delivery AND seller_count = 1
), ranked AS (
    SELECT
        region,
        origin_state,
        row_number() OVER (
            PARTITION BY region
            ORDER BY
                round(sum(delivery_seconds) / (86400 * count(*)), 2),
                round(100.0 * sum(late) / nullif(sum(promised), 0), 2),
                origin_state COLLATE "C"
        )::int AS rank
    FROM delivery
    GROUP BY region, origin_state
    HAVING count(*) >= :min_orders
)
SELECT
    region AS destination_region,
    rank,
    measure,
    'fulfillment.fact_delivery' AS "table",
    order_id::text AS key,
    part
FROM delivery JOIN ranked USING (region, origin_state)
CROSS JOIN LATERAL (
    VALUES
        ('deliveries', 1),
        ('delivery_seconds', delivery_seconds),
        ('promised', promised),
        ('late', late),
        ('freight', freight)
) AS figure (measure, part)
WHERE part <> 0
