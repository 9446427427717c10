-- min_customers=30
WITH bought AS (
    SELECT DISTINCT order_id, category, order_no = 1 AS is_first
    FROM q.lines JOIN q.orders USING (order_id)
    WHERE order_no IS NOT NULL
), totals AS (
    SELECT count(DISTINCT order_id) FILTER (is_first) AS firsts, count(DISTINCT order_id) FILTER (NOT is_first) AS laters
    FROM bought
), categories AS (
    SELECT category, CAST(count(*) FILTER (is_first) AS INTEGER) AS first_orders,
        CAST(count(*) FILTER (NOT is_first) AS INTEGER) AS later_orders
    FROM bought
    GROUP BY category
), indexed AS (
    SELECT category, first_orders, q_pct(first_orders, firsts) AS first_share_pct,
        later_orders, q_pct(later_orders, laters) AS later_share_pct,
        q_pct(later_orders * firsts, first_orders * laters) AS role_index
    FROM categories CROSS JOIN totals
    WHERE first_orders >= $min_customers
)
SELECT *,
    CASE WHEN later_orders < 5 THEN 'unclear'
         WHEN role_index < 80 THEN 'acquisition'
         WHEN role_index > 120 THEN 'retention'
         ELSE 'both' END AS role
FROM indexed
ORDER BY first_orders DESC, category;
