-- number = 50
-- group = "Catalog Health"
-- title = "Which categories have much demand and few sellers?"
-- columns = "category* orders# sellers# orders_per_seller demand_index underserved*"
-- key = ["category"]
-- chart = { kind = "scatter", x = "sellers", y = ["orders"] }
-- finding = [
--   "A seller of {first.category} gets {first.orders_per_seller} orders in the last six months, which is {first.demand_index} where 100 is the mean of all; one of {last.category} {last.orders_per_seller}.",
--   "No category has enough orders in the last six months.",
-- ]
-- definition = """
-- Valid lines of the last six regular months by category. demand_index = 100 x orders_per_seller / (orders summed over
-- all categories / sellers summed likewise); underserved: yes from 150.00, else no. Sort: -demand_index, -orders,
-- category.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "regular period", "category", "seller"]
-- [parameters]
-- min_orders = { default = 10, minimum = 0 }
-- [made_of]
-- orders_per_seller = ["orders", "sellers"]
-- demand_index = ["orders", "sellers"]
-- underserved = ["orders", "sellers"]

-- answer:
WITH by_category AS (
    SELECT category, count(DISTINCT order_id) AS orders, count(DISTINCT seller_id) AS sellers
    FROM lines CROSS JOIN period
    WHERE is_valid AND seller_id IS NOT NULL AND month_no BETWEEN greatest(last_no - 5, first_no) AND last_no
    GROUP BY category
), shown AS (
    SELECT
        category,
        orders,
        sellers,
        round(1.0 * orders / sellers, 2) AS orders_per_seller,
        round(100 * orders * sum(sellers) OVER () / (sellers * sum(orders) OVER ()), 2) AS demand_index
    FROM by_category
)
SELECT
    category,
    orders::int AS orders,
    sellers::int AS sellers,
    orders_per_seller,
    demand_index,
    CASE WHEN demand_index >= 150.00 THEN 'yes' ELSE 'no' END AS underserved
FROM shown
WHERE orders >= :min_orders
ORDER BY demand_index DESC, orders DESC, category COLLATE "C"

-- rows:
WITH recent AS (
    SELECT category, order_id, seller_id
    FROM lines CROSS JOIN period
    WHERE is_valid AND seller_id IS NOT NULL AND month_no BETWEEN greatest(last_no - 5, first_no) AND last_no
)
SELECT category, 'orders' AS measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM recent
GROUP BY category, order_id
UNION ALL
SELECT category, 'sellers', 'marketplace.dim_seller', seller_id::text, 1
FROM recent
GROUP BY category, seller_id
