-- Products with valid lines by their number of photos.
WITH sold AS (
    SELECT product_id, count(*) AS lines, sum(price) AS price
    FROM q.lines
    WHERE is_valid
    GROUP BY product_id
), pictured AS (
    SELECT product_id, lines, price, CASE WHEN photos > 0 THEN photos END AS photos
    FROM sold LEFT JOIN q.products USING (product_id)
), banded AS (
    SELECT 0 AS place, lines, price, photos FROM pictured
    UNION ALL
    SELECT CASE WHEN photos IS NULL THEN 7 WHEN photos >= 6 THEN 6 ELSE photos END, lines, price, photos FROM pictured
), listed (place, band) AS (
    VALUES (0, 'all'), (1, '1'), (2, '2'), (3, '3'), (4, '4'), (5, '5'), (6, '6+'), (7, 'unknown')
)
SELECT band AS photos,
    CAST(count(lines) AS INTEGER) AS products,
    CAST(coalesce(sum(lines), 0) AS INTEGER) AS lines,
    q2(sum(lines), count(lines)) AS lines_per_product,
    q2(sum(price), sum(lines)) AS avg_price,
    CASE WHEN place = 0 THEN q4_near(q_correlation(lines, photos)) END AS correlation
FROM listed LEFT JOIN banded USING (place)
GROUP BY place, band
ORDER BY place;
