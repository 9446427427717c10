-- Merchandise value by month. An order without lines has no price.
WITH monthly AS (
    SELECT m.month_no, m.month, count(o.order_id) AS orders, q_sum(o.price) AS gmv
    FROM q.months AS m
    LEFT JOIN q.orders AS o ON o.month_no = m.month_no AND o.is_valid AND o.item_count > 0
    GROUP BY m.month_no, m.month
)
SELECT month,
    CAST(orders AS INTEGER) AS orders,
    gmv,
    q_pct(gmv - lag(gmv) OVER (ORDER BY month_no), lag(gmv) OVER (ORDER BY month_no)) AS mom_pct,
    CAST(sum(gmv) OVER (ORDER BY month_no) AS DECIMAL(14, 2)) AS cumulative_gmv,
    q2(gmv + lag(gmv, 1) OVER (ORDER BY month_no) + lag(gmv, 2) OVER (ORDER BY month_no), 3) AS gmv_3m_average
FROM monthly
ORDER BY month_no
