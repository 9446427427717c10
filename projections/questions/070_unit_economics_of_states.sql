-- number = 70
-- group = "Market Penetration"
-- title = "Which states have the best unit economics?"
-- columns = "state* region* orders# aov revenue_per_customer freight_pct lost_pct take_per_order"
-- key = ["state"]
-- chart = { kind = "map", x = "state", y = ["take_per_order"] }
-- finding = [
--   "An order from {top(take_per_order).state} brings most, {top(take_per_order).take_per_order} at the assumed commission; one from {low(take_per_order).state} least, {low(take_per_order).take_per_order}.",
-- ]
-- definition = """
-- All orders by state. revenue, AOV and freight of the delivered; revenue_per_customer: per customer with one;
-- take_per_order = commission on delivered lines / all orders. Sort: -take_per_order, state.
-- """
-- caveat = "No costs in the data; an assumed commission is the income."
-- terms = ["delivered, lost, valid", "value, paid", "revenue, GMV", "commission", "customer, first order", "state, region, city of an order"]
-- [parameters]
-- commission_pct = { default = 10.0, minimum = 0.0 }
-- fee_per_line = { default = 5.00, minimum = 0.0 }
-- min_orders = { default = 20, minimum = 0 }
-- [made_of]
-- region = []
-- aov = ["revenue", "valued_orders"]
-- revenue_per_customer = ["revenue", "customers"]
-- freight_pct = ["freight", "revenue"]
-- lost_pct = ["lost", "orders"]
-- take_per_order = ["commission", "orders"]

-- answer:
WITH of_orders AS (
    SELECT
        state,
        region,
        count(*) AS orders,
        count(*) FILTER (WHERE is_lost) AS lost,
        count(DISTINCT customer_id) FILTER (WHERE is_delivered) AS customers,
        count(value) FILTER (WHERE is_delivered) AS valued_orders,
        coalesce(sum(value) FILTER (WHERE is_delivered), 0) AS revenue,
        sum(freight) FILTER (WHERE is_delivered) AS freight,
        coalesce(sum(price) FILTER (WHERE is_delivered), 0) AS price,
        coalesce(sum(item_count) FILTER (WHERE is_delivered), 0) AS lines
    FROM orders
    GROUP BY state, region
), figures AS (
    SELECT
        state,
        region,
        orders::int AS orders,
        round(revenue / nullif(valued_orders, 0), 2) AS aov,
        round(revenue / nullif(customers, 0), 2) AS revenue_per_customer,
        round(100.0 * freight / nullif(revenue, 0), 2) AS freight_pct,
        round(100.0 * lost / orders, 2) AS lost_pct,
        round((:commission_pct * price + 100.0 * :fee_per_line * lines) / (100.0 * orders), 2) AS take_per_order
    FROM of_orders
    WHERE orders >= :min_orders
)
SELECT *
FROM figures
ORDER BY take_per_order DESC, state COLLATE "C"

-- rows:
SELECT state, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders
CROSS JOIN LATERAL (
    VALUES
        ('orders', 1),
        ('lost', is_lost::int),
        ('valued_orders', CASE WHEN is_delivered AND value IS NOT NULL THEN 1 END),
        ('revenue', CASE WHEN is_delivered THEN value END),
        ('freight', CASE WHEN is_delivered THEN freight END)
) AS figure (measure, part)
WHERE part <> 0
UNION ALL
SELECT state, 'commission', 'sales.fact_order_item', order_id || '/' || item_no, part
FROM lines
CROSS JOIN LATERAL (SELECT :commission_pct * price / 100.0 + :fee_per_line AS part) AS commission
WHERE is_delivered AND part <> 0
UNION ALL
SELECT state, 'customers', 'customer.dim_customer', customer_id::text, 1
FROM (SELECT DISTINCT state, customer_id FROM orders WHERE is_delivered) AS customer
