-- number = 78
-- group = "Campaign Planning"
-- title = "Which products and categories are bought together?"
-- columns = "level* rank# item_a* item_b* orders_together# confidence_pct lift"
-- key = ["level", "rank", "item_a", "item_b"]
-- chart = { kind = "table" }
-- finding = [
--   "The categories most often bought together are {is(category).item_a} and {is(category).item_b}: in {is(category).orders_together} orders, {is(category).confidence_pct} of those with the rarer one, {is(category).lift} times as often as by chance.",
--   "The products most often bought together are in {is(product).orders_together} orders.",
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
WITH holding AS (
    SELECT DISTINCT 'product' AS level, replace(product_id::text, '-', '') AS item, order_id FROM lines WHERE is_valid
    UNION ALL
    SELECT DISTINCT 'category', category, order_id FROM lines WHERE is_valid
), sold AS (
    SELECT level, item, count(*) AS orders FROM holding GROUP BY level, item
), mixed AS (
    SELECT h.level, h.item, h.order_id
    FROM holding AS h JOIN (
        SELECT level, order_id FROM holding GROUP BY level, order_id HAVING count(*) > 1
    ) AS several USING (level, order_id)
), pair AS (
    SELECT level, a.item AS item_a, b.item AS item_b, count(*) AS orders_together
    FROM mixed AS a JOIN mixed AS b USING (level, order_id)
    WHERE a.item COLLATE "C" < b.item
    GROUP BY level, a.item, b.item
    HAVING count(*) >= :min_orders
), figures AS (
    SELECT
        p.*,
        round(100.0 * orders_together / least(a.orders, b.orders), 2) AS confidence_pct,
        round(1.0 * orders_together * n.orders / (a.orders * b.orders), 2) AS lift
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
        ) AS rank
    FROM figures
)
SELECT level, rank::int AS rank, item_a, item_b, orders_together::int AS orders_together, confidence_pct, lift
FROM ranked
WHERE rank <= :top
ORDER BY level DESC, rank

-- rows:
WITH holding AS (
    SELECT DISTINCT 'product' AS level, replace(product_id::text, '-', '') AS item, order_id FROM lines WHERE is_valid
    UNION ALL
    SELECT DISTINCT 'category', category, order_id FROM lines WHERE is_valid
), sold AS (
    SELECT level, item, count(*) AS orders FROM holding GROUP BY level, item
), mixed AS (
    SELECT h.level, h.item, h.order_id
    FROM holding AS h JOIN (
        SELECT level, order_id FROM holding GROUP BY level, order_id HAVING count(*) > 1
    ) AS several USING (level, order_id)
), pair AS (
    SELECT level, a.item AS item_a, b.item AS item_b, count(*) AS orders_together
    FROM mixed AS a JOIN mixed AS b USING (level, order_id)
    WHERE a.item COLLATE "C" < b.item
    GROUP BY level, a.item, b.item
    HAVING count(*) >= :min_orders
), counted AS (
    SELECT order_id FROM orders WHERE is_valid AND item_count > 0
), ranked AS (
    SELECT
        p.level,
        p.item_a,
        p.item_b,
        row_number() OVER (
            PARTITION BY p.level
            ORDER BY
                orders_together DESC,
                round(1.0 * orders_together * n.orders / (a.orders * b.orders), 2) DESC,
                item_a COLLATE "C",
                item_b COLLATE "C"
        )::int AS rank
    FROM pair AS p
    JOIN sold AS a ON a.level = p.level AND a.item = p.item_a
    JOIN sold AS b ON b.level = p.level AND b.item = p.item_b
    CROSS JOIN (SELECT count(*) AS orders FROM counted) AS n
), listed AS (
    SELECT * FROM ranked WHERE rank <= :top
)
SELECT level, rank, item_a, item_b, measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM (
    SELECT l.*, 'orders_together' AS measure, a.order_id
    FROM listed AS l
    JOIN holding AS a ON a.level = l.level AND a.item = l.item_a
    JOIN holding AS b ON b.level = l.level AND b.item = l.item_b AND b.order_id = a.order_id
    UNION ALL
    SELECT l.*, 'orders_a', h.order_id FROM listed AS l JOIN holding AS h ON h.level = l.level AND h.item = l.item_a
    UNION ALL
    SELECT l.*, 'orders_b', h.order_id FROM listed AS l JOIN holding AS h ON h.level = l.level AND h.item = l.item_b
    UNION ALL
    SELECT l.*, 'all_orders', c.order_id FROM listed AS l CROSS JOIN counted AS c
) AS behind
