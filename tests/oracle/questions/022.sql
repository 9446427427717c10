-- Late deliveries by month. A change of shares is one fraction: late / n - late before / n before; n of them have a promise.
WITH monthly AS (
    SELECT m.month_no, m.month,
        count(o.order_id) AS deliveries,
        count(o.promised_by) AS n,
        count(*) FILTER (o.days_late > 0) AS late,
        count(*) FILTER (o.delivered_at > o.promised_by) AS past_estimate,
        q_avg_days_late(o.days_late) AS avg_days_late
    FROM q.months AS m
    LEFT JOIN q.orders AS o ON o.month_no = m.month_no AND o.is_delivery
    GROUP BY m.month_no, m.month
), compared AS (
    SELECT *,
        lag(n, 1) OVER (ORDER BY month_no) AS n1, lag(late, 1) OVER (ORDER BY month_no) AS late1,
        lag(n, 2) OVER (ORDER BY month_no) AS n2, lag(late, 2) OVER (ORDER BY month_no) AS late2
    FROM monthly
)
SELECT month,
    CAST(deliveries AS INTEGER) AS deliveries,
    CAST(late AS INTEGER) AS late,
    q_pct(late, n) AS late_pct,
    q_pct(late * n1 - late1 * n, n * n1) AS change_pp,
    q_pct(late + late1 + late2, n + n1 + n2) AS late_pct_3m,
    q_pct(past_estimate, n) AS past_estimate_pct,
    avg_days_late
FROM compared
ORDER BY month_no
