-- number = 68
-- group = "Market Penetration"
-- title = "Which categories does each region prefer?"
-- columns = "region* rank# category* orders# share_pct national_share_pct preference_index"
-- key = ["region", "rank", "category"]
-- chart = { kind = "heat map", x = "region", y = "category", value = "preference_index" }
-- finding = [
--   "The strongest preference is {top(preference_index).region}'s for {top(preference_index).category}: {top(preference_index).share_pct} of its orders hold it, {top(preference_index).national_share_pct} of all orders.",
-- ]
-- definition = """
-- Valid orders with lines by region: share_pct with the category; preference_index = 100 x share / national share,
-- unrounded. Categories with min_orders in the region, ranked by -preference_index, -orders, category. Sort: region,
-- rank.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "category", "state, region, city of an order"]
-- [parameters]
-- min_orders = { default = 10, minimum = 0 }
-- top = { default = 5, minimum = 1 }
-- [made_of]
-- share_pct = ["orders", "region_orders"]
-- national_share_pct = ["category_orders", "all_orders"]
-- preference_index = ["orders", "region_orders", "category_orders", "all_orders"]

-- answer:
WITH holding AS (
    SELECT DISTINCT region, category, order_id FROM lines WHERE is_valid
), by_region AS (
    SELECT region, count(*) AS region_orders, sum(count(*)) OVER () AS all_orders
    FROM orders
    WHERE is_valid AND item_count > 0
    GROUP BY region
), by_category AS (
    SELECT region, category, count(*) AS orders, sum(count(*)) OVER (PARTITION BY category) AS category_orders
    FROM holding
    GROUP BY region, category
), compared AS (
    SELECT
        region,
        category,
        orders,
        round(100.0 * orders / region_orders, 2) AS share_pct,
        round(100.0 * category_orders / all_orders, 2) AS national_share_pct,
        round(100.0 * orders * all_orders / (region_orders * category_orders), 2) AS preference_index
    FROM by_category JOIN by_region USING (region)
    WHERE orders >= :min_orders
), ranked AS (
    SELECT *,
        row_number() OVER (
            PARTITION BY region ORDER BY preference_index DESC, orders DESC, category COLLATE "C"
        ) AS rank
    FROM compared
)
SELECT region, rank::int AS rank, category, orders::int AS orders, share_pct, national_share_pct, preference_index
FROM ranked
WHERE rank <= :top
ORDER BY region COLLATE "C", rank

-- rows:
WITH holding AS (
    SELECT DISTINCT region, category, order_id FROM lines WHERE is_valid
), counted AS (
    SELECT order_id, region FROM orders WHERE is_valid AND item_count > 0
), by_region AS (
    SELECT region, count(*) AS region_orders, sum(count(*)) OVER () AS all_orders FROM counted GROUP BY region
), by_category AS (
    SELECT region, category, count(*) AS orders, sum(count(*)) OVER (PARTITION BY category) AS category_orders
    FROM holding
    GROUP BY region, category
), ranked AS (
    SELECT
        region,
        category,
        row_number() OVER (
            PARTITION BY region
            ORDER BY
                round(100.0 * orders * all_orders / (region_orders * category_orders), 2) DESC,
                orders DESC,
                category COLLATE "C"
        )::int AS rank
    FROM by_category JOIN by_region USING (region)
    WHERE orders >= :min_orders
), listed AS (
    SELECT region, rank, category FROM ranked WHERE rank <= :top
)
SELECT region, rank, category, measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM (
    SELECT region, rank, category, 'orders' AS measure, order_id FROM listed JOIN holding USING (region, category)
    UNION ALL
    SELECT region, rank, category, 'region_orders', order_id FROM listed JOIN counted USING (region)
    UNION ALL
    SELECT l.region, l.rank, l.category, 'category_orders', h.order_id
    FROM listed AS l JOIN holding AS h USING (category)
    UNION ALL
    SELECT l.region, l.rank, l.category, 'all_orders', c.order_id FROM listed AS l CROSS JOIN counted AS c
) AS behind
