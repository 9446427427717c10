-- Sellers by the number of distinct products in their valid lines.
WITH counted AS (
    SELECT seller_id, count(DISTINCT product_id) AS products, sum(total) AS value
    FROM q.seller_lines
    WHERE is_valid
    GROUP BY seller_id
), bands (place, band, lowest, highest) AS (
    VALUES (0, 'all', 1, NULL), (1, '1', 1, 1), (2, '2-5', 2, 5), (3, '6-10', 6, 10), (4, '11-20', 11, 20),
        (5, '21-50', 21, 50), (6, '51+', 51, NULL)
), banded AS (
    SELECT place, band, count(seller_id) AS sellers, q_mean(products) AS avg_products,
        q_median(products) AS median_products, max(products) AS max_products, sum(value) AS value
    FROM bands LEFT JOIN counted ON products >= lowest AND (highest IS NULL OR products <= highest)
    GROUP BY place, band
), everything AS (
    SELECT sellers AS all_sellers, value AS all_value FROM banded WHERE band = 'all'
)
SELECT band AS products_per_seller,
    CAST(sellers AS INTEGER) AS sellers,
    coalesce(q_pct(sellers, all_sellers), 0) AS sellers_share_pct,
    avg_products,
    CAST(median_products AS INTEGER) AS median_products,
    CAST(max_products AS INTEGER) AS max_products,
    CASE WHEN banded.sellers = 0 THEN 0 ELSE q_pct(value, all_value) END AS value_share_pct
FROM banded CROSS JOIN everything
ORDER BY place;
