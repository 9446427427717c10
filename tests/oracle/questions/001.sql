-- Revenue by month.
WITH monthly AS (
    SELECT m.month_no, m.month, count(o.order_id) AS delivered_orders, q_sum(o.value) AS revenue
    FROM q.months AS m
    LEFT JOIN q.orders AS o ON o.month_no = m.month_no AND o.is_delivered
    GROUP BY m.month_no, m.month
)
SELECT m.month,
    CAST(m.delivered_orders AS INTEGER) AS delivered_orders,
    m.revenue,
    q_pct(m.revenue - before.revenue, before.revenue) AS mom_pct,
    q_pct(m.revenue - year_ago.revenue, year_ago.revenue) AS yoy_pct
FROM monthly AS m
LEFT JOIN monthly AS before ON before.month_no = m.month_no - 1
LEFT JOIN monthly AS year_ago ON year_ago.month_no = m.month_no - 12
ORDER BY m.month_no
