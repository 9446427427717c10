-- number = 81
-- group = "Order Quality"
-- title = "How many orders are lost, and at which stage?"
-- columns = "status* stage* orders# share_of_lost_pct pct_of_orders avg_paid"
-- key = ["status", "stage"]
-- chart = { kind = "bar", x = "stage", y = ["orders"], series = "status" }
-- finding = [
--   "{all.orders} [order is|orders are] lost, {all.pct_of_orders} of all, on which {all.avg_paid} were paid in the mean; most, {top(orders).share_of_lost_pct} of them, are {top(orders).status} in the stage '{top(orders).stage}'.",
--   "{all.orders} [order is|orders are] lost.",
-- ]
-- definition = """
-- Lost orders: all (status and stage); canceled: 'before payment approval' (no approved_at), 'approved, not shipped'
-- (no shipped_at), 'after shipping'; unavailable: 'no lines left', 'lines kept'. pct_of_orders: of all orders;
-- avg_paid: mean paid.
-- """
-- caveat = "No reasons in the data; the stage stands for them."
-- terms = ["delivered, lost, valid", "value, paid"]
-- [made_of]
-- share_of_lost_pct = ["orders", "lost_orders"]
-- pct_of_orders = ["orders", "all_orders"]
-- avg_paid = ["paid", "orders"]

-- answer:
WITH listed (place, status, stage) AS (
    VALUES
        (0, 'all', 'all'),
        (1, 'canceled', 'before payment approval'),
        (2, 'canceled', 'approved, not shipped'),
        (3, 'canceled', 'after shipping'),
        (4, 'unavailable', 'no lines left'),
        (5, 'unavailable', 'lines kept')
), lost AS (
    SELECT
        paid,
        CASE WHEN status = 'unavailable' THEN CASE WHEN item_count = 0 THEN 4 ELSE 5 END
            WHEN approved_at IS NULL THEN 1
            WHEN shipped_at IS NULL THEN 2
            ELSE 3
        END AS place
    FROM orders
    WHERE is_lost
), counted AS (
    SELECT coalesce(place, 0) AS place, count(*) AS orders, sum(paid) AS paid
    FROM lost
    GROUP BY GROUPING SETS ((place), ())
)
SELECT
    status,
    stage,
    coalesce(orders, 0)::int AS orders,
    coalesce(round(100.0 * orders / nullif((SELECT count(*) FROM lost), 0), 2), 0.00) AS share_of_lost_pct,
    coalesce(round(100.0 * orders / nullif((SELECT count(*) FROM orders), 0), 2), 0.00) AS pct_of_orders,
    round(paid / nullif(orders, 0), 2) AS avg_paid
FROM listed LEFT JOIN counted USING (place)
ORDER BY place

-- rows:
WITH listed (place, status, stage) AS (
    VALUES
        (0, 'all', 'all'),
        (1, 'canceled', 'before payment approval'),
        (2, 'canceled', 'approved, not shipped'),
        (3, 'canceled', 'after shipping'),
        (4, 'unavailable', 'no lines left'),
        (5, 'unavailable', 'lines kept')
), lost AS (
    SELECT
        order_id,
        CASE WHEN status = 'unavailable' THEN CASE WHEN item_count = 0 THEN 4 ELSE 5 END
            WHEN approved_at IS NULL THEN 1
            WHEN shipped_at IS NULL THEN 2
            ELSE 3
        END AS place
    FROM orders
    WHERE is_lost
), placed AS (
    SELECT g.status, g.stage, l.order_id FROM listed AS g JOIN lost AS l ON g.place IN (0, l.place)
)
SELECT status, stage, 'orders' AS measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM placed
UNION ALL
SELECT g.status, g.stage, 'lost_orders', 'sales.fact_order', l.order_id::text, 1
FROM listed AS g CROSS JOIN lost AS l
UNION ALL
SELECT g.status, g.stage, 'all_orders', 'sales.fact_order', o.order_id::text, 1
FROM listed AS g CROSS JOIN orders AS o
UNION ALL
SELECT p.status, p.stage, 'paid', 'sales.fact_payment', y.order_id || '/' || y.payment_no, y.amount
FROM placed AS p JOIN payments AS y USING (order_id)
WHERE y.amount <> 0
