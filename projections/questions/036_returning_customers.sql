-- number = 36
-- group = "Customer Behavior"
-- title = "How many customers come back?"
-- columns = "orders_per_customer* customers# share_pct orders# orders_share_pct"
-- key = ["orders_per_customer"]
-- chart = { kind = "bar", x = "orders_per_customer", y = ["customers"] }
-- finding = [
--   "{is(repeat).customers} of {all.customers} [customer comes|customers come] back, {is(repeat).share_pct}; their orders are {is(repeat).orders_share_pct} of all.",
-- ]
-- definition = """
-- Customers by number of valid orders: all, 1, 2, 3, 4, 5+, repeat (2 or more).
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "customer, first order"]
-- [made_of]
-- share_pct = ["customers"]
-- orders_share_pct = ["orders"]

-- answer:
WITH band (place, orders_per_customer, least, most) AS (
    VALUES (0, 'all', 1, 2147483647), (1, '1', 1, 1), (2, '2', 2, 2), (3, '3', 3, 3), (4, '4', 4, 4),
        (5, '5+', 5, 2147483647), (6, 'repeat', 2, 2147483647)
), counted AS (
    SELECT valid, count(*) AS customers, sum(valid) AS orders FROM customer_rfm WHERE valid > 0 GROUP BY valid
), by_band AS (
    SELECT
        place,
        orders_per_customer,
        coalesce(sum(customers), 0) AS customers,
        coalesce(sum(orders), 0) AS orders
    FROM band LEFT JOIN counted ON valid BETWEEN least AND most
    GROUP BY place, orders_per_customer
), everything AS (
    SELECT sum(customers) AS customers, sum(orders) AS orders FROM counted
)
SELECT
    orders_per_customer,
    b.customers::int AS customers,
    round(coalesce(100.0 * b.customers / e.customers, 0), 2) AS share_pct,
    b.orders::int AS orders,
    round(coalesce(100.0 * b.orders / e.orders, 0), 2) AS orders_share_pct
FROM by_band AS b CROSS JOIN everything AS e
ORDER BY place

-- rows:
WITH band (orders_per_customer, least, most) AS (
    VALUES ('all', 1, 2147483647), ('1', 1, 1), ('2', 2, 2), ('3', 3, 3), ('4', 4, 4), ('5+', 5, 2147483647),
        ('repeat', 2, 2147483647)
)
SELECT
    orders_per_customer,
    'customers' AS measure,
    'customer.dim_customer' AS "table",
    customer_id::text AS key,
    1 AS part
FROM band JOIN customer_rfm ON valid BETWEEN least AND most
UNION ALL
SELECT orders_per_customer, 'orders', 'sales.fact_order', order_id::text, 1
FROM band
JOIN customer_rfm ON valid BETWEEN least AND most
JOIN orders USING (customer_id)
WHERE is_valid
