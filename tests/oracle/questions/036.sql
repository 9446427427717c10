-- Customers with valid orders, by the number of these.
WITH persons AS (
    SELECT customer_id, count(*) AS orders
    FROM q.orders
    WHERE is_valid
    GROUP BY customer_id
), bands (place, band, lowest, highest) AS (
    VALUES (0, 'all', 1, NULL), (1, '1', 1, 1), (2, '2', 2, 2), (3, '3', 3, 3), (4, '4', 4, 4), (5, '5+', 5, NULL),
        (6, 'repeat', 2, NULL)
), counted AS (
    SELECT place, band, count(customer_id) AS customers, coalesce(sum(orders), 0) AS orders
    FROM bands LEFT JOIN persons ON orders >= lowest AND (highest IS NULL OR orders <= highest)
    GROUP BY place, band
), everything AS (
    SELECT customers AS all_customers, orders AS all_orders FROM counted WHERE band = 'all'
)
SELECT band AS orders_per_customer,
    CAST(customers AS INTEGER) AS customers,
    coalesce(q_pct(customers, all_customers), 0) AS share_pct,
    CAST(orders AS INTEGER) AS orders,
    coalesce(q_pct(orders, all_orders), 0) AS orders_share_pct
FROM counted CROSS JOIN everything
ORDER BY place;
