-- number = 26
-- group = "Operational Efficiency"
-- title = "How long does each step to delivery take?"
-- columns = "stage* orders# avg_days median_days p90_days out_of_order#"
-- key = ["stage"]
-- chart = { kind = "bar", x = "stage", y = ["avg_days", "p90_days"] }
-- finding = [
--   "An order needs {is(placed to delivered).avg_days} days from placing to the customer: {is(placed to approved).avg_days} to approval, {is(approved to shipped).avg_days} to the carrier, {is(shipped to delivered).avg_days} on the way; one in ten takes {is(placed to delivered).p90_days} days or more.",
-- ]
-- definition = """
-- Delivered orders by stage: 'placed to approved', 'approved to shipped', 'shipped to delivered', 'placed to
-- delivered'. Of those with both times: out_of_order counts negative durations, the rest gives the other columns.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "delivery, late"]
-- [made_of]
-- avg_days = ["seconds", "orders"]
-- median_days = ["seconds"]
-- p90_days = ["seconds"]

-- answer:
WITH listed (place, stage) AS (
    VALUES
        (1, 'placed to approved'), (2, 'approved to shipped'), (3, 'shipped to delivered'), (4, 'placed to delivered')
), taken AS MATERIALIZED (  -- in seconds, worked out once
    SELECT
        extract(epoch FROM approved_at - placed_at)::bigint AS to_approval,
        extract(epoch FROM shipped_at - approved_at)::bigint AS to_handover,
        extract(epoch FROM delivered_at - shipped_at)::bigint AS in_transit,
        delivery_seconds AS in_all
    FROM orders
    WHERE is_delivered
)
SELECT
    stage,
    n::int AS orders,
    round(seconds / nullif(86400 * n, 0), 2) AS avg_days,
    round(quantiles[1] / 86400.0, 2) AS median_days,
    round(quantiles[2] / 86400.0, 2) AS p90_days,
    out_of_order::int AS out_of_order
FROM listed
CROSS JOIN LATERAL (  -- a scan for each stage is cheaper than sorting all stages at once
    SELECT
        count(*) FILTER (WHERE seconds >= 0) AS n,
        sum(seconds) FILTER (WHERE seconds >= 0) AS seconds,
        percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE seconds >= 0) AS quantiles,
        count(*) FILTER (WHERE seconds < 0) AS out_of_order
    FROM (
        SELECT
            CASE place WHEN 1 THEN to_approval WHEN 2 THEN to_handover WHEN 3 THEN in_transit ELSE in_all END AS seconds
        FROM taken
    ) AS step
) AS counted
ORDER BY place

-- rows:
SELECT stage, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders
CROSS JOIN LATERAL (
    VALUES
        ('placed to approved', extract(epoch FROM approved_at - placed_at)::bigint),
        ('approved to shipped', extract(epoch FROM shipped_at - approved_at)::bigint),
        ('shipped to delivered', extract(epoch FROM delivered_at - shipped_at)::bigint),
        ('placed to delivered', extract(epoch FROM delivered_at - placed_at)::bigint)
) AS step (stage, taken)
CROSS JOIN LATERAL (
    VALUES
        ('orders', (taken >= 0)::int),
        ('seconds', greatest(taken, 0)),
        ('out_of_order', (taken < 0)::int)
) AS figure (measure, part)
WHERE is_delivered AND taken IS NOT NULL AND part <> 0
