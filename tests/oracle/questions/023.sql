-- min_orders=10
SELECT state, region,
    CAST(count(*) AS INTEGER) AS deliveries,
    q_mean_days(delivery_seconds) AS avg_delivery_days,
    q_on_time_pct(days_late) AS on_time_pct,
    q_late_pct(days_late) AS late_pct,
    q_avg_days_late(days_late) AS avg_days_late
FROM q.orders
WHERE is_delivery
GROUP BY state, region
HAVING count(*) >= $min_orders
ORDER BY on_time_pct DESC, avg_delivery_days, state
