-- min_customers=30
-- Customers by the categories in their first order, and all customers whose first order has lines.
WITH returns AS (
    SELECT one.order_id, two.placed_on - one.placed_on AS days
    FROM q.orders AS one
    LEFT JOIN q.orders AS two ON two.customer_id = one.customer_id AND two.order_no = 2
    WHERE one.order_no = 1
), order_categories AS (
    SELECT DISTINCT order_id, category FROM q.lines
), counted AS (
    SELECT 0 AS place, 'all' AS category, count(*) AS customers, count(days) AS returned, q_mean(days) AS avg_days
    FROM returns SEMI JOIN q.lines USING (order_id)
    UNION ALL
    SELECT 1, category, count(*), count(days), q_mean(days)
    FROM returns JOIN order_categories USING (order_id)
    GROUP BY category
    HAVING count(*) >= $min_customers
)
SELECT category,
    CAST(customers AS INTEGER) AS customers,
    CAST(returned AS INTEGER) AS returned,
    q_pct(returned, customers) AS retention_pct,
    avg_days AS avg_days_to_return
FROM counted
ORDER BY place, retention_pct DESC, counted.customers DESC, category;
