-- Order value by month. A change is (new sum / new orders - old sum / old orders) / (old sum / old orders).
WITH monthly AS (
    SELECT m.month_no, m.month,
        count(o.order_id) AS orders,
        q_sum(o.value) AS value,
        q_median(o.value) AS median_order_value,
        coalesce(sum(o.item_count), 0) AS lines
    FROM q.months AS m
    LEFT JOIN q.orders AS o ON o.month_no = m.month_no AND o.is_delivered AND o.item_count > 0
    GROUP BY m.month_no, m.month
)
SELECT m.month,
    CAST(m.orders AS INTEGER) AS delivered_orders,
    q2(m.value, m.orders) AS aov,
    CAST(m.median_order_value AS DECIMAL(14, 2)) AS median_order_value,
    q2(m.lines, m.orders) AS lines_per_order,
    CASE WHEN m.orders > 0 AND before.orders > 0
         THEN q_pct(m.value * before.orders - before.value * m.orders, before.value * m.orders) END AS aov_change_pct
FROM monthly AS m
LEFT JOIN monthly AS before ON before.month_no = m.month_no - 1
ORDER BY m.month_no
