-- number = 82
-- group = "Order Quality"
-- title = "Where do cancellations pile up?"
-- columns = "dimension* value* orders# canceled# canceled_pct risk_index"
-- key = ["dimension", "value"]
-- chart = { kind = "bar", x = "value", y = ["canceled_pct"], series = "dimension" }
-- finding = [
--   "Cancellations pile up most at the {top(canceled_pct).dimension} {top(canceled_pct).value}: {top(canceled_pct).canceled_pct} of {top(canceled_pct).orders} [order|orders], {top(canceled_pct).risk_index} where 100 is the share among all.",
--   "{top(orders).canceled} of {top(orders).orders} [order|orders] with the {top(orders).dimension} {top(orders).value} [is|are] canceled.",
-- ]
-- definition = """
-- All orders by 'paid value' (price band of paid), 'category', 'region', 'payment method' (of the order). risk_index
-- = 100 x share canceled / that of all orders, unrounded. Sort: dimension (as listed), -canceled_pct, -orders, value.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid", "category", "method, installments of an order", "state, region, city of an order"]
-- [parameters]
-- min_orders = { default = 30, minimum = 0 }
-- [made_of]
-- canceled_pct = ["canceled", "orders"]
-- risk_index = ["canceled", "orders", "all_canceled", "all_orders"]

-- answer:
WITH band (place, name) AS (
    VALUES (1, '0-25'), (2, '25-50'), (3, '50-100'), (4, '100-200'), (5, '200-500'), (6, '500-1000'), (7, '1000+')
), marked AS (
    SELECT
        order_id,
        status = 'canceled' AS is_canceled,
        region,
        method,
        width_bucket(paid, ARRAY[0, 25, 50, 100, 200, 500, 1000]::numeric[]) AS place
    FROM orders
), placed AS (
    SELECT 1 AS dimension, b.name AS value, m.is_canceled, m.order_id FROM band AS b LEFT JOIN marked AS m USING (place)
    UNION ALL
    SELECT 2, l.category, m.is_canceled, order_id
    FROM (SELECT DISTINCT order_id, category FROM lines) AS l JOIN marked AS m USING (order_id)
    UNION ALL
    SELECT 3, region, is_canceled, order_id FROM marked
    UNION ALL
    SELECT 4, method, is_canceled, order_id FROM marked
), counted AS (
    SELECT
        dimension,
        value,
        count(order_id)::int AS orders,
        (count(*) FILTER (WHERE is_canceled))::int AS canceled
    FROM placed
    GROUP BY dimension, value
), totals AS (
    SELECT count(*) AS orders, count(*) FILTER (WHERE is_canceled) AS canceled FROM marked
), figures AS (
    SELECT
        c.*,
        round(100.0 * c.canceled / nullif(c.orders, 0), 2) AS canceled_pct,
        round(100.0 * c.canceled * t.orders / nullif(c.orders * t.canceled, 0), 2) AS risk_index
    FROM counted AS c CROSS JOIN totals AS t
    WHERE c.orders >= :min_orders
)
SELECT
    (ARRAY['paid value', 'category', 'region', 'payment method'])[dimension] AS dimension,
    value,
    orders,
    canceled,
    canceled_pct,
    risk_index
FROM figures
ORDER BY figures.dimension, canceled_pct DESC NULLS LAST, orders DESC, value COLLATE "C"

-- rows:
WITH placed AS (
    SELECT
        'paid value' AS dimension,
        (ARRAY['0-25', '25-50', '50-100', '100-200', '200-500', '500-1000', '1000+'])[
            width_bucket(paid, ARRAY[0, 25, 50, 100, 200, 500, 1000]::numeric[])
        ] AS value,
        order_id
    FROM orders
    UNION ALL
    SELECT DISTINCT 'category', category, order_id FROM lines
    UNION ALL
    SELECT 'region', region, order_id FROM orders
    UNION ALL
    SELECT 'payment method', method, order_id FROM orders
), listed AS (
    SELECT dimension, value FROM placed GROUP BY dimension, value HAVING count(*) >= :min_orders
)
SELECT dimension, p.value, measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM placed AS p
JOIN orders AS o USING (order_id)
CROSS JOIN LATERAL (VALUES ('orders', true), ('canceled', o.status = 'canceled')) AS figure (measure, counts)
WHERE counts
UNION ALL
SELECT dimension, l.value, measure, 'sales.fact_order', order_id::text, 1
FROM listed AS l
CROSS JOIN orders AS o
CROSS JOIN LATERAL (VALUES ('all_orders', true), ('all_canceled', o.status = 'canceled')) AS figure (measure, counts)
WHERE counts
