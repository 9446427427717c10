-- min_orders=20
-- Lines of all orders by category; revenue is that of the delivered ones.
WITH category_lines AS (
    SELECT category, count(DISTINCT seller_id) AS sellers,
        coalesce(sum(total) FILTER (is_delivered AND seller_id IS NOT NULL), 0) AS revenue
    FROM q.lines
    GROUP BY category
), order_categories AS (
    SELECT DISTINCT category, order_id FROM q.lines
), category_orders AS (
    SELECT category, count(*) AS orders,
        q_late_pct(days_late) AS late_pct,
        q_pct(count(*) FILTER (is_lost), count(*)) AS lost_pct,
        q_mean_days(CASE WHEN is_delivery THEN seconds_between(placed_at, shipped_at) END) AS avg_days_to_handover
    FROM order_categories JOIN q.orders USING (order_id)
    GROUP BY category
), category_reviews AS (
    SELECT category, q_mean(score) AS avg_score
    FROM order_categories JOIN q.reviews USING (order_id)
    GROUP BY category
)
SELECT category,
    CAST(sellers AS INTEGER) AS sellers,
    CAST(orders AS INTEGER) AS orders,
    q2(revenue, category_lines.sellers) AS revenue_per_seller,
    avg_score,
    late_pct,
    lost_pct,
    avg_days_to_handover
FROM category_lines JOIN category_orders USING (category) LEFT JOIN category_reviews USING (category)
WHERE category_orders.orders >= $min_orders
ORDER BY category_orders.orders DESC, category;
