SELECT method, CAST(count(*) AS INTEGER) AS orders,
    CAST(count(*) FILTER (approved_at IS NULL) AS INTEGER) AS not_approved,
    q_pct(count(*) FILTER (approved_at IS NULL), count(*)) AS failure_pct,
    q_pct(count(*) FILTER (status = 'canceled'), count(*)) AS canceled_pct,
    q2(sum(seconds_between(placed_at, approved_at)), 3600 * count(approved_at)) AS avg_hours_to_approval
FROM q.orders
GROUP BY method
ORDER BY failure_pct DESC, orders DESC, method;
