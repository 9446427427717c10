-- number = 73
-- group = "Channel & Attribution"
-- title = "Which categories win customers, which bring them back?"
-- columns = "category* first_orders# first_share_pct later_orders# later_share_pct role_index role*"
-- key = ["category"]
-- chart = { kind = "scatter", x = "first_share_pct", y = ["later_share_pct"] }
-- finding = [
--   "{first.category} wins most customers: it is in {first.first_share_pct} of first orders and {first.later_share_pct} of later ones.",
--   "{first.category} wins most customers: it is in {first.first_share_pct} of first orders.",
-- ]
-- definition = """
-- Categories in first orders and in later (second and further) valid ones, shares of those with lines. role_index =
-- 100 x later share / first share, unrounded. role: unclear (below 5 later orders), acquisition (index < 80),
-- retention (> 120), else both. min_customers: first orders. Sort: -first_orders, category.
-- """
-- caveat = ""
-- terms = ["customer, first order", "category", "delivered, lost, valid"]
-- [parameters]
-- min_customers = { default = 30, minimum = 0 }
-- [made_of]
-- first_share_pct = ["first_orders", "all_first_orders"]
-- later_share_pct = ["later_orders", "all_later_orders"]
-- role_index = ["first_orders", "all_first_orders", "later_orders", "all_later_orders"]
-- role = ["first_orders", "all_first_orders", "later_orders", "all_later_orders"]

-- answer:
WITH totals AS (
    SELECT
        count(*) FILTER (WHERE order_no = 1) AS all_first_orders,
        count(*) FILTER (WHERE order_no > 1) AS all_later_orders
    FROM orders
    WHERE is_valid AND item_count > 0
), holding AS (
    SELECT DISTINCT category, order_id FROM lines WHERE is_valid
), counted AS (
    SELECT
        category,
        count(*) FILTER (WHERE order_no = 1) AS first_orders,
        count(*) FILTER (WHERE order_no > 1) AS later_orders
    FROM holding JOIN orders USING (order_id)
    GROUP BY category
), figures AS (
    SELECT
        category,
        first_orders::int AS first_orders,
        round(100.0 * first_orders / nullif(all_first_orders, 0), 2) AS first_share_pct,
        later_orders::int AS later_orders,
        round(100.0 * later_orders / nullif(all_later_orders, 0), 2) AS later_share_pct,
        round(
            100.0 * later_orders * all_first_orders / nullif(1.0 * first_orders * all_later_orders, 0), 2
        ) AS role_index
    FROM counted CROSS JOIN totals
    WHERE first_orders >= :min_customers
)
SELECT
    *,
    CASE WHEN later_orders < 5 THEN 'unclear'
        WHEN role_index < 80 THEN 'acquisition'
        WHEN role_index > 120 THEN 'retention'
        ELSE 'both'
    END AS role
FROM figures
ORDER BY first_orders DESC, category COLLATE "C"

-- rows:
WITH holding AS (
    SELECT DISTINCT category, order_id FROM lines WHERE is_valid
), listed AS (
    SELECT category
    FROM holding JOIN orders USING (order_id)
    GROUP BY category
    HAVING count(*) FILTER (WHERE order_no = 1) >= :min_customers
), kind AS (
    SELECT order_id, CASE WHEN order_no = 1 THEN 'first_orders' ELSE 'later_orders' END AS kind
    FROM orders
    WHERE is_valid AND item_count > 0
)
SELECT category, measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM (
    SELECT category, kind AS measure, order_id FROM holding JOIN kind USING (order_id)
    UNION ALL
    SELECT category, 'all_' || kind, order_id FROM listed CROSS JOIN kind
) AS behind
