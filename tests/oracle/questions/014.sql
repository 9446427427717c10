-- Lines by price. An empty band has no rank.
WITH grouped AS (
    SELECT b.place, b.band, count(l.order_id) AS lines, q_sum(l.total) AS revenue
    FROM q.price_bands AS b
    LEFT JOIN q.lines AS l ON q_price_band(l.price) = b.band AND l.is_delivered
    GROUP BY b.place, b.band
)
SELECT band AS price_band,
    CAST(lines AS INTEGER) AS lines,
    q_share(lines, lines, sum(lines) OVER ()) AS lines_share_pct,
    revenue,
    q_share(lines, revenue, sum(revenue) OVER ()) AS revenue_share_pct,
    CASE WHEN lines > 0 THEN
        CAST(row_number() OVER (PARTITION BY lines > 0 ORDER BY lines DESC, place) AS INTEGER) END AS volume_rank,
    CASE WHEN lines > 0 THEN
        CAST(row_number() OVER (PARTITION BY lines > 0 ORDER BY revenue DESC, place) AS INTEGER) END AS revenue_rank
FROM grouped
ORDER BY place
