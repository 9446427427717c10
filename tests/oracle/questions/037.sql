-- Customers with two or more valid orders, by the calendar days from the first to the second.
WITH gaps AS (
    SELECT customer_id, two.placed_on - one.placed_on AS days
    FROM q.orders AS one JOIN q.orders AS two USING (customer_id)
    WHERE one.order_no = 1 AND two.order_no = 2
), bands (place, band, lowest, highest) AS (
    VALUES (0, 'all', 0, NULL), (1, 'same day', 0, 0), (2, '1-7', 1, 7), (3, '8-30', 8, 30), (4, '31-90', 31, 90),
        (5, '91-180', 91, 180), (6, '181+', 181, NULL)
), counted AS (
    SELECT place, band, count(customer_id) AS customers, q_mean(days) AS avg_days, q_median(days) AS median_days
    FROM bands LEFT JOIN gaps ON days >= lowest AND (highest IS NULL OR days <= highest)
    GROUP BY place, band
), everything AS (
    SELECT customers AS all_customers FROM counted WHERE band = 'all'
)
SELECT band AS gap_days,
    CAST(customers AS INTEGER) AS customers,
    coalesce(q_pct(customers, all_customers), 0) AS share_pct,
    avg_days,
    CAST(median_days AS INTEGER) AS median_days
FROM counted CROSS JOIN everything
ORDER BY place;
