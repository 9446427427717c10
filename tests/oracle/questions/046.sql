-- Products of the catalogue with and without a valid line in the last days up to the close date.
WITH windows (days) AS (
    VALUES (30), (60), (90), (180), (365)
), sales AS (
    SELECT product_id, close_date - placed_on AS age
    FROM q.lines SEMI JOIN q.products USING (product_id) CROSS JOIN q.period
    WHERE is_valid
), counted AS (
    SELECT days, count(DISTINCT product_id) AS sold, (SELECT count(*) FROM q.products) AS products
    FROM windows LEFT JOIN sales ON age BETWEEN 0 AND days - 1
    GROUP BY days
)
SELECT CAST(days AS INTEGER) AS window_days,
    CAST(products AS INTEGER) AS products,
    CAST(sold AS INTEGER) AS sold,
    CAST(products - sold AS INTEGER) AS unsold,
    q_pct(products - sold, products) AS unsold_pct
FROM counted
ORDER BY days;
