-- limit=20
-- Valid lines by category, and how much of their value single sellers have; amounts in cents.
WITH category_sellers AS (
    SELECT category, seller_id, sum(CAST(100 * total AS HUGEINT)) AS value
    FROM q.seller_lines
    WHERE is_valid
    GROUP BY category, seller_id
), shares AS (
    SELECT category, count(*) AS sellers, sum(value) AS value, max(value) AS largest, sum(value * value) AS squares
    FROM category_sellers
    GROUP BY category
), counted AS (
    SELECT category, count(DISTINCT product_id) AS products, count(*) AS lines
    FROM q.seller_lines
    WHERE is_valid
    GROUP BY category
)
SELECT category,
    CAST(sellers AS INTEGER) AS sellers,
    CAST(products AS INTEGER) AS products,
    CAST(lines AS INTEGER) AS lines,
    q2(value, 100 * shares.sellers) AS value_per_seller,
    q_pct(largest, value) AS top_seller_share_pct,
    q2(10000 * squares, value * value) AS hhi
FROM shares JOIN counted USING (category)
ORDER BY shares.sellers DESC, counted.products DESC, category
LIMIT $limit;
