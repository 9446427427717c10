-- top=20
-- Delivered lines by product, ranked by their number and by revenue.
WITH products AS (
    SELECT product_id, category, count(*) AS lines, sum(total) AS revenue
    FROM q.lines
    WHERE is_delivered
    GROUP BY product_id, category
), ranked AS (
    SELECT 1 AS place, 'volume' AS ranking,
        row_number() OVER (ORDER BY lines DESC, revenue DESC, product_id) AS rank, *
    FROM products
    UNION ALL
    SELECT 2, 'revenue', row_number() OVER (ORDER BY revenue DESC, lines DESC, product_id), *
    FROM products
)
SELECT ranking,
    CAST(rank AS INTEGER) AS rank,
    product_id,
    category,
    CAST(lines AS INTEGER) AS lines,
    CAST(revenue AS DECIMAL(14, 2)) AS revenue
FROM ranked
WHERE ranked.rank <= $top
ORDER BY place, ranked.rank;
