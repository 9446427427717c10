-- marketing_pct=10
WITH monthly AS (
    SELECT m.month_no, m.month,
        count(DISTINCT o.customer_id) AS buying_customers,
        count(DISTINCT o.customer_id) FILTER (o.order_no = 1) AS new_customers,
        q_mean(CASE WHEN o.order_no = 1 THEN o.value END) AS avg_first_order,
        q_sum(o.price) AS gmv
    FROM q.months AS m
    LEFT JOIN q.orders AS o ON o.month_no = m.month_no AND o.is_valid
    GROUP BY m.month_no, m.month
)
SELECT month,
    CAST(buying_customers AS INTEGER) AS buying_customers,
    CAST(new_customers AS INTEGER) AS new_customers,
    q_share(buying_customers, new_customers, buying_customers) AS new_share_pct,
    avg_first_order,
    gmv,
    q2(gmv * $marketing_pct, 100 * new_customers) AS cac_proxy
FROM monthly
ORDER BY month_no
