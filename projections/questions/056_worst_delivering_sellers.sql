-- number = 56
-- group = "Seller Health"
-- title = "Which sellers deliver worst?"
-- columns = "seller_id* seller_state* deliveries# late# late_pct avg_days_late handover_late_pct avg_days_to_handover"
-- key = ["seller_id"]
-- chart = { kind = "table" }
-- finding = [
--   "At the seller that delivers worst, {first.late} of {first.deliveries} [delivery|deliveries] came late, {first.late_pct} of those promised, by {first.avg_days_late} days on average; it handed over {first.handover_late_pct} too late.",
--   "At the seller that delivers worst, {first.late} of {first.deliveries} [delivery|deliveries] came late, {first.late_pct} of those promised.",
--   "Of no delivery is known until when it was promised, not even of the {first.deliveries} of the seller with most.",
--   "No seller has enough deliveries.",
-- ]
-- definition = """
-- Deliveries by seller. handover_late_pct = 100 - handover_on_time_pct of question 27. Sort: -late_pct, -deliveries,
-- seller_id.
-- """
-- caveat = ""
-- terms = ["delivery, late", "seller"]
-- [parameters]
-- min_orders = { default = 10, minimum = 0 }
-- limit = { default = 20, minimum = 1 }
-- [made_of]
-- seller_state = []
-- late_pct = ["late", "promised"]
-- avg_days_late = ["days_late", "late"]
-- handover_late_pct = ["handovers_late", "handovers_due"]
-- avg_days_to_handover = ["handover_seconds", "handovers"]

-- answer:
WITH sold AS (
    SELECT seller_id, order_id, max(ship_by) AS ship_by
    FROM lines
    WHERE is_delivery AND seller_id IS NOT NULL
    GROUP BY seller_id, order_id
), due AS (  -- of which somebody knows until when
    SELECT
        seller_id,
        count(o.days_late) AS promised,
        count(o.shipped_at) FILTER (WHERE s.ship_by IS NOT NULL) AS handovers_due
    FROM sold AS s JOIN orders AS o USING (order_id)
    GROUP BY seller_id
)
SELECT
    seller_id,
    state AS seller_state,
    deliveries,
    late,
    round(100.0 * late / nullif(promised, 0), 2) AS late_pct,
    round(1.0 * days_late / nullif(late, 0), 2) AS avg_days_late,
    round(100.0 * (handovers_due - on_time) / nullif(handovers_due, 0), 2) AS handover_late_pct,
    round(handover_seconds / (86400.0 * nullif(handovers, 0)), 2) AS avg_days_to_handover
FROM seller_scorecard LEFT JOIN due USING (seller_id)
WHERE deliveries >= greatest(:min_orders, 1)
ORDER BY late_pct DESC NULLS LAST, deliveries DESC, seller_id
LIMIT :limit

-- rows:
WITH sold AS (
    SELECT seller_id, order_id, max(ship_by) AS ship_by
    FROM lines
    WHERE is_delivery AND seller_id IS NOT NULL
    GROUP BY seller_id, order_id
)
SELECT seller_id, measure, 'fulfillment.fact_delivery' AS "table", order_id::text AS key, part
FROM sold AS s
JOIN orders AS o USING (order_id)
CROSS JOIN LATERAL (
    VALUES
        ('deliveries', 1),
        ('promised', (days_late IS NOT NULL)::int),
        ('late', (days_late > 0)::int),
        ('days_late', days_late),
        ('handovers', (shipped_at IS NOT NULL)::int),
        ('handovers_due', (shipped_at IS NOT NULL AND s.ship_by IS NOT NULL)::int),
        ('handovers_late', (shipped_at > s.ship_by)::int),
        ('handover_seconds', extract(epoch FROM shipped_at - placed_at)::bigint)
) AS figure (measure, part)
WHERE part <> 0
