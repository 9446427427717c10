-- number = 27
-- group = "Operational Efficiency"
-- title = "Which sellers keep their delivery promises?"
-- columns = "seller_id* seller_state* deliveries# on_time_pct handover_on_time_pct avg_days_to_handover avg_score"
-- key = ["seller_id"]
-- chart = { kind = "table" }
-- finding = [
--   "The most reliable seller is in {first.seller_state}: of {first.deliveries} [delivery|deliveries] {first.on_time_pct} of those promised on time, {first.handover_on_time_pct} handed over in time, with a mean score of {first.avg_score}.",
--   "The most reliable seller is in {first.seller_state}: of {first.deliveries} [delivery|deliveries] {first.on_time_pct} of those promised on time.",
--   "Of no delivery is known until when it was promised, not even of the {first.deliveries} of the seller with most.",
-- ]
-- definition = """
-- Deliveries by seller. handover_on_time_pct: of those with shipped_at and ship_by, those where it is not after the
-- latest ship_by of the seller's lines in the order. Sort: -on_time_pct, -deliveries, seller_id.
-- """
-- caveat = ""
-- terms = ["state, region, city of an order", "category", "delivery, late", "review", "seller"]
-- [parameters]
-- min_orders = { default = 10, minimum = 0 }
-- limit = { default = 20, minimum = 1 }
-- [made_of]
-- seller_state = []
-- on_time_pct = ["late", "promised"]
-- handover_on_time_pct = ["handovers_on_time", "handovers_due"]
-- avg_days_to_handover = ["seconds_to_handover", "handovers"]
-- avg_score = ["score", "reviews"]

-- answer:
WITH delivery AS (
    SELECT seller_id, order_id, max(ship_by) AS ship_by
    FROM lines
    WHERE is_delivery AND seller_id IS NOT NULL
    GROUP BY seller_id, order_id
), reviewed AS (
    SELECT seller_id, count(*) AS reviews, sum(score) AS score
    FROM delivery JOIN reviews USING (order_id)
    GROUP BY seller_id
), due AS (  -- of which somebody knows until when
    SELECT
        seller_id,
        count(o.days_late) AS promised,
        count(o.shipped_at) FILTER (WHERE d.ship_by IS NOT NULL) AS handovers_due
    FROM delivery AS d JOIN orders AS o USING (order_id)
    GROUP BY seller_id
)
SELECT
    seller_id,
    s.state AS seller_state,
    deliveries,
    round(100.0 * (promised - late) / nullif(promised, 0), 2) AS on_time_pct,
    round(100.0 * on_time / nullif(handovers_due, 0), 2) AS handover_on_time_pct,
    round(handover_seconds / (86400.0 * nullif(handovers, 0)), 2) AS avg_days_to_handover,
    round(1.0 * v.score / v.reviews, 2) AS avg_score
FROM seller_scorecard AS s LEFT JOIN due USING (seller_id) LEFT JOIN reviewed AS v USING (seller_id)
WHERE deliveries >= greatest(:min_orders, 1)
ORDER BY on_time_pct DESC NULLS LAST, deliveries DESC, seller_id
LIMIT :limit

-- rows:
WITH delivery AS (
    SELECT seller_id, order_id, max(ship_by) AS ship_by
    FROM lines
    WHERE is_delivery AND seller_id IS NOT NULL
    GROUP BY seller_id, order_id
)
SELECT seller_id, measure, 'fulfillment.fact_delivery' AS "table", order_id::text AS key, part
FROM delivery AS d JOIN orders AS o USING (order_id)
CROSS JOIN LATERAL (
    VALUES
        ('deliveries', 1),
        ('promised', (days_late IS NOT NULL)::int),
        ('late', (days_late > 0)::int),
        ('handovers', (shipped_at IS NOT NULL)::int),
        ('handovers_due', (shipped_at IS NOT NULL AND d.ship_by IS NOT NULL)::int),
        ('handovers_on_time', (shipped_at <= d.ship_by)::int),
        ('seconds_to_handover', extract(epoch FROM shipped_at - placed_at)::bigint)
) AS figure (measure, part)
WHERE part <> 0
UNION ALL
SELECT seller_id, measure, 'customer.fact_review', review_id || '/' || order_id, part
FROM delivery JOIN reviews USING (order_id)
CROSS JOIN LATERAL (VALUES ('reviews', 1), ('score', score)) AS figure (measure, part)
