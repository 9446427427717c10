-- number = 62
-- group = "Regional Performance"
-- title = "Which cities order most?"
-- columns = "revenue_rank# city* state* orders# revenue revenue_share_pct aov orders_rank#"
-- key = ["revenue_rank"]
-- chart = { kind = "table" }
-- finding = [
--   "{first.city} is first with {first.revenue} from {first.orders} [order|orders], {first.revenue_share_pct} of all revenue; of those listed, an order is worth most in {top(aov).city}: {top(aov).aov}.",
--   "Nothing has been delivered so far.",
-- ]
-- definition = """
-- Delivered orders by city and state. revenue_rank: -revenue, city, state; orders_rank: -orders, -revenue, city,
-- state. Sort: revenue_rank.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "value, paid", "state, region, city of an order"]
-- [parameters]
-- limit = { default = 20, minimum = 1 }
-- [made_of]
-- city = ["revenue"]
-- state = ["revenue"]
-- revenue_share_pct = ["revenue"]
-- aov = ["revenue", "valued_orders"]
-- orders_rank = ["orders", "revenue"]

-- answer:
WITH by_city AS (
    SELECT city, state, count(*) AS orders, count(value) AS valued_orders, coalesce(sum(value), 0) AS revenue
    FROM orders
    WHERE is_delivered
    GROUP BY city, state
), ranked AS (
    SELECT
        *,
        row_number() OVER (ORDER BY revenue DESC, city COLLATE "C", state COLLATE "C") AS revenue_rank,
        row_number() OVER (ORDER BY orders DESC, revenue DESC, city COLLATE "C", state COLLATE "C") AS orders_rank,
        sum(revenue) OVER () AS everything
    FROM by_city
)
SELECT
    revenue_rank::int AS revenue_rank,
    city,
    state,
    orders::int AS orders,
    round(revenue, 2) AS revenue,
    round(100 * revenue / nullif(everything, 0), 2) AS revenue_share_pct,
    round(revenue / nullif(valued_orders, 0), 2) AS aov,
    orders_rank::int AS orders_rank
FROM ranked
ORDER BY revenue_rank
LIMIT :limit

-- rows:
WITH ranked AS (
    SELECT
        city,
        state,
        row_number() OVER (ORDER BY coalesce(sum(value), 0) DESC, city COLLATE "C", state COLLATE "C") AS revenue_rank
    FROM orders
    WHERE is_delivered
    GROUP BY city, state
)
SELECT revenue_rank::int AS revenue_rank, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM ranked
JOIN orders USING (city, state)
CROSS JOIN LATERAL (
    VALUES
        ('orders', 1),
        ('valued_orders', (value IS NOT NULL)::int),
        ('revenue', value)
) AS figure (measure, part)
WHERE is_delivered AND part <> 0
