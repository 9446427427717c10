-- number = 2
-- group = "Growth & Scale Metrics"
-- title = "How many new customers do we win, and what might one cost?"
-- columns = "month* buying_customers# new_customers# new_share_pct avg_first_order gmv cac_proxy"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["new_customers"] }
-- finding = [
--   "In {top(new_customers).month}, the best month, we won {top(new_customers).new_customers} new [customer|customers]: {top(new_customers).new_share_pct} of all who bought, at an assumed cost of {top(new_customers).cac_proxy} each against a first order of {top(new_customers).avg_first_order}.",
--   "In {top(new_customers).month}, the best month, we won {top(new_customers).new_customers} new [customer|customers].",
-- ]
-- definition = """
-- Valid orders, all months. New: customers whose first order it was, new_share_pct of the buying; avg_first_order:
-- its mean value; cac_proxy = marketing_pct % of GMV / new_customers.
-- """
-- caveat = "No marketing spend in the data: an assumed share of GMV."
-- terms = ["delivered, lost, valid", "value, paid", "revenue, GMV", "dates, months", "customer, first order"]
-- [parameters]
-- marketing_pct = { default = 10.0, minimum = 0.0 }
-- [made_of]
-- new_share_pct = ["new_customers", "buying_customers"]
-- avg_first_order = ["first_order_value", "valued_first_orders"]
-- cac_proxy = ["gmv", "new_customers"]

-- answer:
WITH counted AS (
    SELECT
        month_no,
        count(DISTINCT customer_id) AS buying_customers,
        count(*) FILTER (WHERE order_no = 1) AS new_customers,
        sum(value) FILTER (WHERE order_no = 1) AS first_order_value,
        count(value) FILTER (WHERE order_no = 1) AS valued_first_orders,
        sum(price) AS gmv
    FROM orders
    WHERE is_valid
    GROUP BY month_no
)
SELECT
    month,
    coalesce(buying_customers, 0)::int AS buying_customers,
    coalesce(new_customers, 0)::int AS new_customers,
    coalesce(round(100.0 * new_customers / buying_customers, 2), 0.00) AS new_share_pct,
    round(first_order_value / nullif(valued_first_orders, 0), 2) AS avg_first_order,
    round(coalesce(gmv, 0), 2) AS gmv,
    round(coalesce(gmv, 0) * :marketing_pct / (100.0 * nullif(new_customers, 0)), 2) AS cac_proxy
FROM months LEFT JOIN counted USING (month_no)
ORDER BY month_no

-- rows:
SELECT DISTINCT
    month, 'buying_customers' AS measure, 'customer.dim_customer' AS "table", customer_id::text AS key, 1.0 AS part
FROM orders
WHERE is_valid
UNION ALL
SELECT month, 'new_customers', 'customer.dim_customer', customer_id::text, 1
FROM orders
WHERE order_no = 1
UNION ALL
SELECT month, measure, 'sales.fact_order', order_id::text, part
FROM orders
CROSS JOIN LATERAL (
    VALUES
        ('first_order_value', CASE WHEN order_no = 1 THEN value END),
        ('valued_first_orders', (order_no = 1 AND value IS NOT NULL)::int),
        ('gmv', price)
) AS figure (measure, part)
WHERE is_valid AND part <> 0
