-- Delivered orders by state.
WITH states AS (
    SELECT state, region, count(DISTINCT customer_id) AS customers, count(*) AS orders,
        coalesce(sum(value), 0) AS revenue, q_mean(value) AS aov
    FROM q.orders
    WHERE is_delivered
    GROUP BY state, region
), summed AS (
    SELECT *,
        sum(revenue) OVER (ORDER BY revenue DESC, state ROWS UNBOUNDED PRECEDING) AS running,
        sum(revenue) OVER () AS all_revenue
    FROM states
)
SELECT state, region,
    CAST(customers AS INTEGER) AS customers,
    CAST(orders AS INTEGER) AS orders,
    CAST(revenue AS DECIMAL(14, 2)) AS revenue,
    q_pct(revenue, all_revenue) AS revenue_share_pct,
    q_pct(running, all_revenue) AS cumulative_pct,
    aov
FROM summed
ORDER BY summed.revenue DESC, state;
