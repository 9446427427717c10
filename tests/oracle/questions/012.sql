-- Prices by state; a category's national mean is a fraction, so that sums of them are DOUBLE.
WITH delivered AS (
    SELECT * FROM q.lines WHERE is_delivered
), national AS (
    SELECT sum(price) AS price, count(*) AS lines FROM delivered
), of_category AS (
    SELECT category, CAST(sum(price) AS DOUBLE) / count(*) AS mean_price FROM delivered GROUP BY category
), grouped AS (
    SELECT d.state, d.region, count(*) AS lines, sum(d.price) AS price, q_median(d.price) AS median_price,
        sum(c.mean_price) AS expected_price
    FROM delivered AS d
    JOIN of_category AS c USING (category)
    GROUP BY d.state, d.region
)
SELECT g.state, g.region,
    CAST(g.lines AS INTEGER) AS lines,
    q2(g.price, g.lines) AS avg_price,
    CAST(g.median_price AS DECIMAL(14, 2)) AS median_price,
    q2(100 * g.price * n.lines, g.lines * n.price) AS price_index,
    q2_near(100 * CAST(g.price AS DOUBLE) / nullif(g.expected_price, 0)) AS mix_adjusted_index
FROM grouped AS g CROSS JOIN national AS n
ORDER BY avg_price DESC, g.state
