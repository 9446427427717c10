-- number = 87
-- group = "Payment Risk"
-- title = "Where do payment issues cluster?"
-- columns = "state* region* orders# not_approved# mismatched# zero_or_undefined# with_issue# issue_pct"
-- key = ["state"]
-- chart = { kind = "map", x = "state", y = ["issue_pct"] }
-- finding = [
--   "Payment issues cluster in {first.state}: {first.with_issue} of {first.orders} [order|orders], {first.issue_pct}, [has|have] one; the fewest have those of {low(issue_pct).state}, {low(issue_pct).issue_pct}.",
-- ]
-- definition = """
-- All orders by state: not approved (86); mismatched, zero_or_undefined (85); any of these. Sort: -issue_pct,
-- -orders, state.
-- """
-- caveat = ""
-- terms = ["state, region, city of an order", "value, paid"]
-- [parameters]
-- min_orders = { default = 30, minimum = 0 }
-- [made_of]
-- region = []
-- issue_pct = ["with_issue", "orders"]

-- answer:
WITH odd AS (
    SELECT DISTINCT order_id FROM payments WHERE amount = 0 OR method = 'not_defined'
), marked AS (
    SELECT
        o.state,
        o.region,
        o.approved_at IS NULL AS is_not_approved,
        coalesce(abs(o.paid - o.value) > 1, false) AS is_mismatched,
        odd.order_id IS NOT NULL AS is_odd
    FROM orders AS o LEFT JOIN odd USING (order_id)
), figures AS (
    SELECT
        state,
        region,
        count(*)::int AS orders,
        (count(*) FILTER (WHERE is_not_approved))::int AS not_approved,
        (count(*) FILTER (WHERE is_mismatched))::int AS mismatched,
        (count(*) FILTER (WHERE is_odd))::int AS zero_or_undefined,
        (count(*) FILTER (WHERE is_not_approved OR is_mismatched OR is_odd))::int AS with_issue,
        round(100.0 * count(*) FILTER (WHERE is_not_approved OR is_mismatched OR is_odd) / count(*), 2) AS issue_pct
    FROM marked
    GROUP BY state, region
    HAVING count(*) >= :min_orders
)
SELECT *
FROM figures
ORDER BY issue_pct DESC, orders DESC, state COLLATE "C"

-- rows:
WITH odd AS (
    SELECT DISTINCT order_id FROM payments WHERE amount = 0 OR method = 'not_defined'
), marked AS (
    SELECT
        o.state,
        o.order_id,
        o.approved_at IS NULL AS is_not_approved,
        coalesce(abs(o.paid - o.value) > 1, false) AS is_mismatched,
        odd.order_id IS NOT NULL AS is_odd
    FROM orders AS o LEFT JOIN odd USING (order_id)
)
SELECT state, measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM marked
CROSS JOIN LATERAL (
    VALUES
        ('orders', true),
        ('not_approved', is_not_approved),
        ('mismatched', is_mismatched),
        ('zero_or_undefined', is_odd),
        ('with_issue', is_not_approved OR is_mismatched OR is_odd)
) AS figure (measure, counts)
WHERE counts
