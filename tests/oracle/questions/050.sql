-- min_orders=10
-- Valid lines of the last six regular months by category.
WITH categories AS (
    SELECT category, count(DISTINCT order_id) AS orders, count(DISTINCT seller_id) AS sellers
    FROM q.seller_lines JOIN q.months USING (month_no) CROSS JOIN q.period
    WHERE is_valid AND t >= r - 6
    GROUP BY category
), everything AS (
    SELECT sum(orders) AS all_orders, sum(sellers) AS all_sellers FROM categories
), compared AS (
    SELECT category, orders, sellers,
        q2(orders, sellers) AS orders_per_seller,
        q_pct(orders * all_sellers, sellers * all_orders) AS demand_index
    FROM categories CROSS JOIN everything
    WHERE orders >= $min_orders
)
SELECT category,
    CAST(orders AS INTEGER) AS orders,
    CAST(sellers AS INTEGER) AS sellers,
    orders_per_seller,
    demand_index,
    CASE WHEN demand_index >= 150.00 THEN 'yes' ELSE 'no' END AS underserved
FROM compared
ORDER BY demand_index DESC, compared.orders DESC, category;
