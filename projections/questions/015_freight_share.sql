-- number = 15
-- group = "Pricing & Economics"
-- title = "What part of the order value is freight?"
-- columns = "value_band* orders# freight order_value freight_pct avg_order_freight_pct"
-- key = ["value_band"]
-- chart = { kind = "bar", x = "value_band", y = ["freight_pct"] }
-- finding = [
--   "Freight is {all.freight_pct} of what customers pay for goods and carriage; it weighs most on orders worth {top(freight_pct).value_band}, where it is {top(freight_pct).freight_pct}, and least on those worth {low(freight_pct).value_band}, with {low(freight_pct).freight_pct}.",
-- ]
-- definition = """
-- Delivered orders with value above 0 by price band of the value, and all. avg_order_freight_pct: mean of the
-- orders' own percentages.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid"]
-- [made_of]
-- freight_pct = ["freight", "order_value"]
-- avg_order_freight_pct = ["freight", "order_value"]

-- answer:
WITH band (place, value_band) AS (
    VALUES
        (-1, 'all'), (0, '0-25'), (1, '25-50'), (2, '50-100'), (3, '100-200'), (4, '200-500'), (5, '500-1000'),
        (6, '1000+')
), valued AS (
    SELECT width_bucket(value, ARRAY[25.0, 50, 100, 200, 500, 1000]) AS place, freight, value
    FROM orders
    WHERE is_delivered AND value > 0
), counted AS (
    SELECT
        coalesce(place, -1) AS place,
        count(*) AS orders,
        sum(freight) AS freight,
        sum(value) AS order_value,
        avg(100 * freight / value) AS order_freight_pct
    FROM valued
    GROUP BY GROUPING SETS ((), (place))
)
SELECT
    value_band,
    coalesce(c.orders, 0)::int AS orders,
    round(coalesce(freight, 0), 2) AS freight,
    round(coalesce(order_value, 0), 2) AS order_value,
    round(100 * freight / order_value, 2) AS freight_pct,
    round(round(order_freight_pct, 10), 2) AS avg_order_freight_pct
FROM band LEFT JOIN counted AS c USING (place)
ORDER BY place

-- rows:
WITH band (place, value_band) AS (
    VALUES
        (0, '0-25'), (1, '25-50'), (2, '50-100'), (3, '100-200'), (4, '200-500'), (5, '500-1000'), (6, '1000+')
)
SELECT of_row.value_band, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders
JOIN band AS b ON place = width_bucket(value, ARRAY[25.0, 50, 100, 200, 500, 1000])
CROSS JOIN LATERAL (VALUES ('all'), (b.value_band)) AS of_row (value_band)
CROSS JOIN LATERAL (VALUES ('orders', 1), ('freight', freight), ('order_value', value)) AS figure (measure, part)
WHERE is_delivered AND value > 0 AND part <> 0
