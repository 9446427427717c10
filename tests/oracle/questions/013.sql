-- Products by mean price. One whose mean price is 0 has no logarithm, and is no pair of the correlation.
WITH products AS (
    SELECT product_id, count(*) AS lines, count(DISTINCT order_id) AS orders, sum(price) / count(*) AS mean_price
    FROM q.lines
    WHERE is_valid
    GROUP BY product_id
), banded AS (
    SELECT *, q_price_band(mean_price) AS band,
        CASE WHEN mean_price > 0 THEN ln(mean_price) END AS log_price,
        ln(lines) AS log_lines
    FROM products
), bands AS (
    SELECT 0 AS place, 'all' AS band UNION ALL SELECT * FROM q.price_bands
)
SELECT b.band AS price_band,
    CAST(count(p.product_id) AS INTEGER) AS products,
    CAST(coalesce(sum(p.lines), 0) AS INTEGER) AS lines,
    q2(coalesce(sum(p.lines), 0), count(p.product_id)) AS lines_per_product,
    q_pct(count(*) FILTER (p.orders >= 2), count(p.product_id)) AS multi_sale_pct,
    CASE WHEN b.band = 'all' THEN q4_near(q_correlation(log_lines, log_price)) END AS correlation
FROM bands AS b
LEFT JOIN banded AS p ON b.band = 'all' OR p.band = b.band
GROUP BY b.place, b.band
ORDER BY b.place
