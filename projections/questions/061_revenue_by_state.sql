-- number = 61
-- group = "Regional Performance"
-- title = "How is revenue spread over the states?"
-- columns = "state* region* customers# orders# revenue revenue_share_pct cumulative_pct aov"
-- key = ["state"]
-- chart = { kind = "map", x = "state", y = ["revenue"] }
-- finding = [
--   "{first.state} brings {first.revenue_share_pct} of the revenue, {first.revenue} from {first.orders} [order|orders]; an order is worth most in {top(aov).state}, {top(aov).aov}, and least in {low(aov).state}, {low(aov).aov}.",
--   "Nothing has been delivered so far.",
-- ]
-- definition = """
-- Delivered orders by state. Sort: -revenue, state.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "value, paid", "customer, first order", "state, region, city of an order"]
-- [made_of]
-- region = []
-- revenue_share_pct = ["revenue"]
-- cumulative_pct = ["revenue"]
-- aov = ["revenue", "valued_orders"]
-- [beyond]
-- revenue_share_pct = "all other rows"
-- cumulative_pct = "all other rows"

-- answer:
WITH by_state AS (
    SELECT
        state,
        region,
        count(DISTINCT customer_id) AS customers,
        count(*) AS orders,
        count(value) AS valued_orders,
        coalesce(sum(value), 0) AS revenue
    FROM orders
    WHERE is_delivered
    GROUP BY state, region
)
SELECT
    state,
    region,
    customers::int AS customers,
    orders::int AS orders,
    round(revenue, 2) AS revenue,
    round(100 * revenue / nullif(sum(revenue) OVER (), 0), 2) AS revenue_share_pct,
    round(100 * sum(revenue) OVER running / nullif(sum(revenue) OVER (), 0), 2) AS cumulative_pct,
    round(revenue / nullif(valued_orders, 0), 2) AS aov
FROM by_state
WINDOW running AS (ORDER BY revenue DESC, state COLLATE "C" ROWS UNBOUNDED PRECEDING)
ORDER BY revenue DESC, state COLLATE "C"

-- rows:
SELECT state, 'customers' AS measure, 'customer.dim_customer' AS "table", customer_id::text AS key, 1::numeric AS part
FROM orders
WHERE is_delivered
GROUP BY state, customer_id
UNION ALL
SELECT state, measure, 'sales.fact_order', order_id::text, part
FROM orders
CROSS JOIN LATERAL (
    VALUES
        ('orders', 1),
        ('valued_orders', (value IS NOT NULL)::int),
        ('revenue', value)
) AS figure (measure, part)
WHERE is_delivered AND part <> 0
