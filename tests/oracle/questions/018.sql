-- Revenue by customer. An order without lines brings none and is left out.
WITH customers AS (
    SELECT customer_id, sum(value) AS revenue,
        CASE count(*) WHEN 1 THEN '1' WHEN 2 THEN '2' ELSE '3+' END AS band
    FROM q.orders
    WHERE is_delivered AND item_count > 0
    GROUP BY customer_id
), bands (place, band) AS (
    VALUES (0, 'all'), (1, '1'), (2, '2'), (3, '3+')
), total AS (
    SELECT q_sum(revenue) AS revenue FROM customers
)
SELECT b.band AS orders_per_customer,
    CAST(count(c.customer_id) AS INTEGER) AS customers,
    q_sum(c.revenue) AS revenue,
    q_share(count(c.customer_id), q_sum(c.revenue), total.revenue) AS revenue_share_pct,
    q_mean(c.revenue) AS revenue_per_customer,
    CAST(q_median(c.revenue) AS DECIMAL(14, 2)) AS median_revenue,
    CAST(quantile_disc(c.revenue, 0.9) AS DECIMAL(14, 2)) AS p90_revenue,
    CAST(max(c.revenue) AS DECIMAL(14, 2)) AS max_revenue
FROM bands AS b
CROSS JOIN total
LEFT JOIN customers AS c ON b.band = 'all' OR c.band = b.band
GROUP BY b.place, b.band, total.revenue
ORDER BY b.place
