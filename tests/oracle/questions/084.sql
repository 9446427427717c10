-- min_orders=10 limit=20
WITH sellers AS (
    SELECT seller_id, any_value(seller_state) AS seller_state, count(DISTINCT order_id) AS orders,
        count(DISTINCT order_id) FILTER (is_lost) AS lost
    FROM q.seller_lines
    GROUP BY seller_id
), totals AS (
    SELECT sum(orders) AS all_orders, sum(lost) AS all_lost FROM sellers
), scored AS (
    -- With p = L / N, (lost - n p) / sqrt(n p (1 - p)) is (lost N - n L) / sqrt(n L (N - L)).
    SELECT seller_id, seller_state, CAST(orders AS INTEGER) AS orders, CAST(lost AS INTEGER) AS lost,
        q_pct(lost, orders) AS lost_pct,
        q2(orders * all_lost, all_orders) AS expected_lost,
        CASE WHEN all_lost < all_orders THEN
            q2_near(CAST(lost * all_orders - orders * all_lost AS DOUBLE)
                / sqrt(CAST(orders * all_lost * (all_orders - all_lost) AS DOUBLE))) END AS z_score
    FROM sellers CROSS JOIN totals
    WHERE lost > 0 AND orders >= $min_orders
)
SELECT *, CASE WHEN z_score >= 2 THEN 'yes' ELSE 'no' END AS unusual
FROM scored
ORDER BY z_score DESC, orders DESC, seller_id
LIMIT $limit;
