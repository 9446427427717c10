-- All registered sellers by the number of their valid orders.
WITH valid_lines AS (
    SELECT order_id, seller_id, total FROM q.seller_lines WHERE is_valid
), sellers AS (
    SELECT seller_id, count(DISTINCT order_id) AS orders, coalesce(sum(total), 0) AS value
    FROM q.sellers LEFT JOIN valid_lines USING (seller_id)
    GROUP BY seller_id
), bands (place, band, kind, lowest, highest) AS (
    VALUES (1, '0', 'none', 0, 0), (2, '1', 'one-time', 1, 1), (3, '2-5', 'repeat', 2, 5), (4, '6-20', 'repeat', 6, 20),
        (5, '21-100', 'repeat', 21, 100), (6, '101+', 'repeat', 101, NULL)
), banded AS (
    SELECT place, band, kind, seller_id, value
    FROM bands LEFT JOIN sellers ON orders >= lowest AND (highest IS NULL OR orders <= highest)
), distinct_orders AS (
    SELECT place, count(DISTINCT order_id) AS orders
    FROM banded JOIN valid_lines USING (seller_id)
    GROUP BY place
), counted AS (
    SELECT place, band, kind, count(seller_id) AS sellers, coalesce(sum(value), 0) AS value
    FROM banded
    GROUP BY place, band, kind
), everything AS (
    SELECT sum(sellers) AS all_sellers, sum(value) AS all_value FROM counted
)
SELECT band AS orders_per_seller,
    kind,
    CAST(sellers AS INTEGER) AS sellers,
    coalesce(q_pct(sellers, all_sellers), 0) AS sellers_share_pct,
    CAST(coalesce(orders, 0) AS INTEGER) AS orders,
    CAST(value AS DECIMAL(14, 2)) AS order_value,
    CASE WHEN counted.sellers = 0 THEN 0 ELSE q_pct(value, all_value) END AS value_share_pct
FROM counted CROSS JOIN everything LEFT JOIN distinct_orders USING (place)
ORDER BY place;
