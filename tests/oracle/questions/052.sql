-- Sellers with delivered lines in ten groups of equal size, those with the most revenue first.
WITH sellers AS (
    SELECT seller_id, count(DISTINCT order_id) AS orders, sum(total) AS revenue
    FROM q.seller_lines
    WHERE is_delivered
    GROUP BY seller_id
), grouped AS (
    SELECT *, ntile(10) OVER (ORDER BY revenue DESC, seller_id) AS decile FROM sellers
), deciles AS (
    SELECT decile, count(*) AS sellers, sum(orders) AS orders, sum(revenue) AS revenue, min(revenue) AS min_revenue
    FROM grouped
    GROUP BY decile
), summed AS (
    SELECT *, sum(revenue) OVER (ORDER BY decile) AS running, sum(revenue) OVER () AS all_revenue FROM deciles
)
SELECT CAST(decile AS INTEGER) AS decile,
    CAST(sellers AS INTEGER) AS sellers,
    CAST(orders AS INTEGER) AS orders,
    CAST(revenue AS DECIMAL(14, 2)) AS revenue,
    q_pct(revenue, all_revenue) AS revenue_share_pct,
    q_pct(running, all_revenue) AS cumulative_pct,
    q2(summed.revenue, summed.sellers) AS avg_revenue,
    CAST(min_revenue AS DECIMAL(14, 2)) AS min_revenue
FROM summed
ORDER BY summed.decile;
