-- Sellers whose first valid line up to the close date is 180 days old or older.
WITH sold AS (
    SELECT seller_id, product_id, total, close_date - placed_on AS age
    FROM q.seller_lines CROSS JOIN q.period
    WHERE is_valid AND placed_on <= close_date
), sellers AS (
    SELECT seller_id, sum(total) AS value,
        min(age) < 90 AS sells,
        count(DISTINCT product_id) FILTER (age < 180)
            > count(DISTINCT product_id) FILTER (age BETWEEN 180 AND 359) AS grows
    FROM sold
    GROUP BY seller_id
    HAVING max(age) >= 180
), signals (place, signal) AS (
    VALUES (1, 'established sellers'), (2, 'still selling'), (3, 'growing catalogue'), (4, 'both'), (5, 'neither')
), shown AS (
    SELECT place, signal, count(seller_id) AS sellers, coalesce(sum(value), 0) AS value
    FROM signals LEFT JOIN sellers ON CASE signal
        WHEN 'established sellers' THEN true
        WHEN 'still selling' THEN sells
        WHEN 'growing catalogue' THEN grows
        WHEN 'both' THEN sells AND grows
        WHEN 'neither' THEN NOT sells AND NOT grows END
    GROUP BY place, signal
), everything AS (
    SELECT sellers AS all_sellers, value AS all_value FROM shown WHERE place = 1
)
SELECT signal,
    CAST(sellers AS INTEGER) AS sellers,
    coalesce(q_pct(sellers, all_sellers), 0) AS sellers_share_pct,
    CAST(value AS DECIMAL(14, 2)) AS order_value,
    CASE WHEN shown.sellers = 0 THEN 0 ELSE q_pct(value, all_value) END AS value_share_pct
FROM shown CROSS JOIN everything
ORDER BY place;
