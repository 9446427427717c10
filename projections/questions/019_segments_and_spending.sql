-- number = 19
-- group = "Revenue Optimization"
-- title = "Which customer segments spend most per order?"
-- columns = "segment* customers# delivered_orders# revenue revenue_per_order revenue_per_customer"
-- key = ["segment"]
-- chart = { kind = "bar", x = "segment", y = ["revenue_per_order"] }
-- finding = [
--   "The segment {top(revenue_per_order).segment} spends most per order, {top(revenue_per_order).revenue_per_order}, and has {top(revenue_per_order).customers} [customer|customers]; most revenue comes from {top(revenue).segment}: {top(revenue).revenue} from {top(revenue).customers} [customer|customers].",
--   "No order was delivered yet.",
-- ]
-- definition = """
-- Segments on the evaluation date (all six), with their delivered orders; revenue_per_order = revenue /
-- delivered_orders. Sort: -revenue_per_order, segment.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "close date, age, evaluation date", "customer, first order", "segment"]
-- [made_of]
-- revenue_per_order = ["revenue", "delivered_orders"]
-- revenue_per_customer = ["revenue", "customers"]

-- answer:
WITH listed (segment) AS (
    VALUES ('NEW'), ('ONE_TIME'), ('REGULAR'), ('LOYAL'), ('VIP'), ('CHURNED')
), counted AS (
    SELECT segment, count(*) AS customers, sum(delivered) AS delivered_orders, sum(monetary) AS revenue
    FROM customer_rfm
    GROUP BY segment
)
SELECT
    segment,
    coalesce(customers, 0)::int AS customers,
    coalesce(delivered_orders, 0)::int AS delivered_orders,
    round(coalesce(revenue, 0), 2) AS revenue,
    round(revenue / nullif(delivered_orders, 0), 2) AS revenue_per_order,
    round(revenue / nullif(customers, 0), 2) AS revenue_per_customer
FROM listed LEFT JOIN counted USING (segment)
ORDER BY revenue_per_order DESC NULLS LAST, segment COLLATE "C"

-- rows:
SELECT segment, 'customers' AS measure, 'customer.dim_customer' AS "table", customer_id::text AS key, 1.0 AS part
FROM customer_rfm
UNION ALL
SELECT segment, measure, 'sales.fact_order', order_id::text, part
FROM orders JOIN customer_rfm USING (customer_id)
CROSS JOIN LATERAL (VALUES ('delivered_orders', 1), ('revenue', value)) AS figure (measure, part)
WHERE is_delivered AND part <> 0
