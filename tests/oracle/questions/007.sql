-- Revenue by category.
WITH grouped AS (
    SELECT category, count(DISTINCT order_id) AS orders, count(*) AS lines, q_sum(total) AS revenue
    FROM q.lines
    WHERE is_delivered
    GROUP BY category
)
SELECT category,
    CAST(orders AS INTEGER) AS orders,
    CAST(lines AS INTEGER) AS lines,
    revenue,
    q_pct(revenue, sum(revenue) OVER ()) AS revenue_share_pct,
    q_pct(sum(revenue) OVER (ORDER BY revenue DESC, category), sum(revenue) OVER ()) AS cumulative_pct
FROM grouped
ORDER BY revenue DESC, category
