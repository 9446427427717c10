-- min_orders=2 top=20
WITH bought AS (
    SELECT DISTINCT 1 AS level_no, 'product' AS level, order_id, product_id AS item FROM q.lines WHERE is_valid
    UNION ALL
    SELECT DISTINCT 2, 'category', order_id, category FROM q.lines WHERE is_valid
), items AS (
    SELECT level_no, item, count(*) AS orders FROM bought GROUP BY ALL
), together AS (
    SELECT level_no, level, a.item AS item_a, b.item AS item_b, count(*) AS orders
    FROM bought AS a JOIN bought AS b USING (level_no, level, order_id)
    WHERE a.item < b.item
    GROUP BY ALL
    HAVING count(*) >= $min_orders
), pairs AS (
    SELECT together.level_no, level, item_a, item_b, CAST(together.orders AS INTEGER) AS orders_together,
        q_pct(together.orders, least(a.orders, b.orders)) AS confidence_pct,
        q2(together.orders * (SELECT count(DISTINCT order_id) FROM bought), a.orders * b.orders) AS lift
    FROM together
    JOIN items AS a ON a.level_no = together.level_no AND a.item = item_a
    JOIN items AS b ON b.level_no = together.level_no AND b.item = item_b
), ranked AS (
    SELECT *, CAST(row_number() OVER (
        PARTITION BY level_no ORDER BY orders_together DESC, lift DESC, item_a, item_b) AS INTEGER) AS rank
    FROM pairs
)
SELECT level, rank, item_a, item_b, orders_together, confidence_pct, lift
FROM ranked
WHERE rank <= $top
ORDER BY level_no, rank;
