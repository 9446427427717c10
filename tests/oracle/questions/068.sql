-- min_orders=10 top=5
-- Every line of a valid order names a category, so that the orders here are those with lines.
WITH bought AS (
    SELECT DISTINCT order_id, region, category FROM q.lines WHERE is_valid
), regions AS (
    SELECT region, count(DISTINCT order_id) AS orders FROM bought GROUP BY region
), categories AS (
    SELECT category, count(*) AS orders FROM bought GROUP BY category
), nation AS (
    SELECT count(DISTINCT order_id) AS orders FROM bought
), pairs AS (
    SELECT region, category, count(*) AS orders FROM bought GROUP BY region, category
), preferences AS (
    SELECT region, category, CAST(pairs.orders AS INTEGER) AS orders,
        q_pct(pairs.orders, regions.orders) AS share_pct,
        q_pct(categories.orders, nation.orders) AS national_share_pct,
        q_pct(pairs.orders * nation.orders, regions.orders * categories.orders) AS preference_index
    FROM pairs
    JOIN regions USING (region)
    JOIN categories USING (category)
    CROSS JOIN nation
    WHERE pairs.orders >= $min_orders
), ranked AS (
    SELECT *, CAST(row_number() OVER (
        PARTITION BY region ORDER BY preference_index DESC, orders DESC, category) AS INTEGER) AS rank
    FROM preferences
)
SELECT region, rank, category, orders, share_pct, national_share_pct, preference_index
FROM ranked
WHERE rank <= $top
ORDER BY region, rank;
