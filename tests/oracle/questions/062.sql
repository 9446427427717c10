-- limit=20
-- Delivered orders by city and state, ranked by revenue and by their number.
WITH cities AS (
    SELECT city, state, count(*) AS orders, coalesce(sum(value), 0) AS revenue, q_mean(value) AS aov
    FROM q.orders
    WHERE is_delivered
    GROUP BY city, state
), ranked AS (
    SELECT *,
        sum(revenue) OVER () AS all_revenue,
        row_number() OVER (ORDER BY revenue DESC, city, state) AS revenue_rank,
        row_number() OVER (ORDER BY orders DESC, revenue DESC, city, state) AS orders_rank
    FROM cities
)
SELECT CAST(revenue_rank AS INTEGER) AS revenue_rank,
    city,
    state,
    CAST(orders AS INTEGER) AS orders,
    CAST(revenue AS DECIMAL(14, 2)) AS revenue,
    q_pct(revenue, all_revenue) AS revenue_share_pct,
    aov,
    CAST(orders_rank AS INTEGER) AS orders_rank
FROM ranked
ORDER BY ranked.revenue_rank
LIMIT $limit;
