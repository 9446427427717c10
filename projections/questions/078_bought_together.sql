-- number = 78
-- group = "Campaign Planning"
-- title = "Which products and categories are bought together?"
-- columns = "level* rank# item_a* item_b* orders_together# confidence_pct lift"
-- key = ["level", "rank", "item_a", "item_b"]
-- chart = { kind = "table" }
-- finding = [
--   "The categories most often bought together are {is(category).item_a} and {is(category).item_b}: in {is(category).orders_together} [order|orders], {is(category).confidence_pct} of those with the rarer one, {is(category).lift} times as often as by chance.",
--   "The products most often bought together are in {is(product).orders_together} [order|orders].",
-- ]
-- definition = """
-- Pairs of items a < b in min_orders valid orders, level product (ids), then category. confidence_pct: of the orders
-- with the rarer one; lift = together x N / (orders with a x orders with b), N valid orders with lines. rank:
-- -orders_together, -lift, item_a, item_b. Sort: level (as listed), rank.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "category"]
-- [parameters]
-- min_orders = { default = 2, minimum = 0 }
-- top = { default = 20, minimum = 1 }
-- [made_of]
-- confidence_pct = ["orders_together", "orders_a", "orders_b"]
-- lift = ["orders_together", "orders_a", "orders_b", "all_orders"]

-- answer:
WITH mixed AS (  -- valid orders with several lines
    SELECT product_id, category, order_id
    FROM lines JOIN orders USING (order_id)
    WHERE lines.is_valid AND orders.item_count > 1
), holding AS (
    SELECT DISTINCT 'product' AS level, replace(product_id::text, '-', '') AS item, order_id FROM mixed
    UNION ALL
    SELECT DISTINCT 'category', category, order_id FROM mixed
), sold AS (
    SELECT 'product' AS level, replace(product_id::text, '-', '') AS item, valid_orders AS orders
    FROM product_performance
    WHERE valid > 0
    UNION ALL
    SELECT 'category', category, count(DISTINCT order_id) FROM lines WHERE is_valid GROUP BY category
), pair AS (
    SELECT level, a.item AS item_a, b.item AS item_b, count(*) AS orders_together
    FROM holding AS a JOIN holding AS b USING (level, order_id)
    WHERE a.item COLLATE "C" < b.item
    GROUP BY level, a.item, b.item
    HAVING count(*) >= :min_orders
), figures AS (
    SELECT
        p.*,
        round(100.0 * orders_together / least(a.orders, b.orders), 2) AS confidence_pct,
        round(1.0 * orders_together * n.orders / (1.0 * a.orders * b.orders), 2) AS lift
    FROM pair AS p
    JOIN sold AS a ON a.level = p.level AND a.item = p.item_a
    JOIN sold AS b ON b.level = p.level AND b.item = p.item_b
    CROSS JOIN (SELECT count(*) AS orders FROM orders WHERE is_valid AND item_count > 0) AS n
), ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY level
            ORDER BY orders_together DESC, lift DESC, item_a COLLATE "C", item_b COLLATE "C"
        )::int AS rank
    FROM figures
)
SELECT level, rank, item_a, item_b, orders_together::int AS orders_together, confidence_pct, lift
FROM ranked
WHERE rank <= :top
ORDER BY level DESC, rank

-- rows:
WITH mixed AS (  -- valid orders with several lines
    SELECT product_id, category, order_id
    FROM lines JOIN orders USING (order_id)
    WHERE lines.is_valid AND orders.item_count > 1
), holding AS (
    SELECT DISTINCT 'product' AS level, replace(product_id::text, '-', '') AS item, order_id FROM mixed
    UNION ALL
    SELECT DISTINCT 'category', category, order_id FROM mixed
), sold AS (
    SELECT 'product' AS level, replace(product_id::text, '-', '') AS item, valid_orders AS orders
    FROM product_performance
    WHERE valid > 0
    UNION ALL
    SELECT 'category', category, count(DISTINCT order_id) FROM lines WHERE is_valid GROUP BY category
), pair AS (
    SELECT level, a.item AS item_a, b.item AS item_b, count(*) AS orders_together
    FROM holding AS a JOIN holding AS b USING (level, order_id)
    WHERE a.item COLLATE "C" < b.item
    GROUP BY level, a.item, b.item
    HAVING count(*) >= :min_orders
), figures AS (
    SELECT
        p.*,
        round(1.0 * orders_together * n.orders / (1.0 * a.orders * b.orders), 2) AS lift
    FROM pair AS p
    JOIN sold AS a ON a.level = p.level AND a.item = p.item_a
    JOIN sold AS b ON b.level = p.level AND b.item = p.item_b
    CROSS JOIN (SELECT count(*) AS orders FROM orders WHERE is_valid AND item_count > 0) AS n
), ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY level
            ORDER BY orders_together DESC, lift DESC, item_a COLLATE "C", item_b COLLATE "C"
        )::int AS rank
    FROM figures
), listed AS (
    SELECT level, rank, item_a, item_b FROM ranked WHERE rank <= :top
), named AS (
    SELECT level, item_a AS item FROM listed
    UNION
    SELECT level, item_b FROM listed
), held AS (
    SELECT DISTINCT n.level, n.item, l.order_id
    FROM named AS n JOIN lines AS l ON replace(l.product_id::text, '-', '') = n.item
    WHERE n.level = 'product' AND l.is_valid
    UNION ALL
    SELECT DISTINCT n.level, n.item, l.order_id
    FROM named AS n JOIN lines AS l ON l.category = n.item
    WHERE n.level = 'category' AND l.is_valid
)
SELECT level, rank, item_a, item_b, measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM (
    SELECT l.*, 'orders_together' AS measure, a.order_id
    FROM listed AS l
    JOIN held AS a ON a.level = l.level AND a.item = l.item_a
    JOIN held AS b ON b.level = l.level AND b.item = l.item_b AND b.order_id = a.order_id
    UNION ALL
    SELECT l.*, 'orders_a', h.order_id FROM listed AS l JOIN held AS h ON h.level = l.level AND h.item = l.item_a
    UNION ALL
    SELECT l.*, 'orders_b', h.order_id FROM listed AS l JOIN held AS h ON h.level = l.level AND h.item = l.item_b
    UNION ALL
    SELECT l.*, 'all_orders', o.order_id FROM listed AS l CROSS JOIN orders AS o WHERE o.is_valid AND o.item_count > 0
) AS behind
