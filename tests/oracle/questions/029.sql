-- stuck_days=30
WITH statuses (place, status) AS (
    VALUES (1, 'created'), (2, 'approved'), (3, 'invoiced'), (4, 'processing'), (5, 'shipped')
), waiting AS (
    -- greatest leaves nulls out.
    SELECT o.order_id, o.status,
        p.evaluation_date - CAST(greatest(o.placed_at, o.approved_at, o.shipped_at) AS DATE) AS days
    FROM q.orders AS o CROSS JOIN q.period AS p
)
SELECT s.status,
    CAST(count(w.order_id) AS INTEGER) AS orders,
    q_share(count(w.order_id), count(w.order_id), (SELECT count(*) FROM q.orders)) AS share_pct,
    q_mean(w.days) AS avg_days_waiting,
    CAST(q_median(w.days) AS INTEGER) AS median_days_waiting,
    CAST(max(w.days) AS INTEGER) AS max_days_waiting,
    CAST(count(*) FILTER (w.days > $stuck_days) AS INTEGER) AS stuck_orders
FROM statuses AS s
LEFT JOIN waiting AS w USING (status)
GROUP BY s.place, s.status
ORDER BY s.place
