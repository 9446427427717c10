-- top_pct=10 limit=100
-- Delivered lines by seller, ranked by revenue and by orders.
WITH sellers AS (
    SELECT seller_id, seller_state, count(DISTINCT order_id) AS orders, sum(total) AS revenue
    FROM q.seller_lines
    WHERE is_delivered
    GROUP BY seller_id, seller_state
), ranked AS (
    SELECT *,
        row_number() OVER (ORDER BY revenue DESC, seller_id) AS revenue_rank,
        row_number() OVER (ORDER BY orders DESC, revenue DESC, seller_id) AS volume_rank
    FROM sellers
), everything AS (
    SELECT (SELECT sum(total) FROM q.lines WHERE is_delivered) AS all_revenue, ceil(count(*) * $top_pct / 100) AS top_n
    FROM sellers
)
SELECT CAST(revenue_rank AS INTEGER) AS revenue_rank,
    seller_id,
    seller_state,
    CAST(orders AS INTEGER) AS orders,
    CAST(revenue AS DECIMAL(14, 2)) AS revenue,
    q_pct(revenue, all_revenue) AS revenue_share_pct,
    CAST(volume_rank AS INTEGER) AS volume_rank,
    CASE WHEN volume_rank <= top_n THEN 'yes' ELSE 'no' END AS top_by_volume
FROM ranked CROSS JOIN everything
WHERE ranked.revenue_rank <= top_n
ORDER BY ranked.revenue_rank
LIMIT $limit;
