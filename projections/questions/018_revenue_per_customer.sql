-- number = 18
-- group = "Revenue Optimization"
-- title = "How much revenue does a customer bring?"
-- columns = "orders_per_customer* customers# revenue revenue_share_pct revenue_per_customer median_revenue p90_revenue max_revenue"
-- key = ["orders_per_customer"]
-- chart = { kind = "bar", x = "orders_per_customer", y = ["revenue_per_customer"] }
-- finding = [
--   "A customer has brought {all.revenue_per_customer} so far, half of them no more than {all.median_revenue}; those with one order bring {is(1).revenue_share_pct} of revenue, and those with three or more {is(3+).revenue_per_customer} each.",
--   "A customer has brought {all.revenue_per_customer} so far, half of them no more than {all.median_revenue}; those with one order bring {is(1).revenue_share_pct} of revenue.",
-- ]
-- definition = """
-- Customers by number of delivered orders with lines: all, 1, 2, 3+. Median, p90 and max of revenue per customer.
-- """
-- caveat = "Past revenue stands for lifetime value."
-- terms = ["delivered, lost, valid", "revenue, GMV", "customer, first order"]
-- [made_of]
-- revenue_share_pct = ["revenue"]
-- revenue_per_customer = ["revenue", "customers"]
-- median_revenue = ["revenue"]
-- p90_revenue = ["revenue"]
-- max_revenue = ["revenue"]

-- answer:
WITH band (place, orders_per_customer) AS (
    VALUES (0, 'all'), (1, '1'), (2, '2'), (3, '3+')
), customer AS (
    SELECT least(count(*), 3) AS place, sum(value) AS revenue
    FROM orders
    WHERE is_delivered AND item_count > 0
    GROUP BY customer_id
), counted AS (
    SELECT
        coalesce(place, 0) AS place,
        count(*) AS customers,
        sum(revenue) AS revenue,
        percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY revenue) AS quantiles,
        max(revenue) AS max_revenue
    FROM customer
    GROUP BY GROUPING SETS ((), (place))
)
SELECT
    orders_per_customer,
    coalesce(customers, 0)::int AS customers,
    round(coalesce(revenue, 0), 2) AS revenue,
    CASE WHEN coalesce(customers, 0) = 0 THEN 0.00
        ELSE round(100 * revenue / nullif(max(revenue) FILTER (WHERE place = 0) OVER (), 0), 2)
    END AS revenue_share_pct,
    round(revenue / nullif(customers, 0), 2) AS revenue_per_customer,
    round(quantiles[1], 2) AS median_revenue,
    round(quantiles[2], 2) AS p90_revenue,
    round(max_revenue, 2) AS max_revenue
FROM band LEFT JOIN counted USING (place)
ORDER BY place

-- rows:
WITH delivered AS (
    SELECT order_id, customer_id, value, count(*) OVER of_customer AS orders, row_number() OVER of_customer AS place
    FROM orders
    WHERE is_delivered AND item_count > 0
    WINDOW of_customer AS (PARTITION BY customer_id)
), banded AS (
    SELECT *
    FROM delivered
    CROSS JOIN LATERAL (
        VALUES ('all'), (CASE WHEN orders < 3 THEN orders::text ELSE '3+' END)
    ) AS of_row (orders_per_customer)
)
SELECT
    orders_per_customer,
    'customers' AS measure,
    'customer.dim_customer' AS "table",
    customer_id::text AS key,
    1.0 AS part
FROM banded
WHERE place = 1
UNION ALL
SELECT orders_per_customer, 'revenue', 'sales.fact_order', order_id::text, value
FROM banded
WHERE value <> 0
