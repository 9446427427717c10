-- Steps of delivered orders.
WITH stages (place, stage) AS (
    VALUES (1, 'placed to approved'), (2, 'approved to shipped'), (3, 'shipped to delivered'), (4, 'placed to delivered')
), durations AS (
    SELECT 'placed to approved' AS stage, seconds_between(placed_at, approved_at) AS seconds
    FROM q.orders WHERE is_delivered
    UNION ALL
    SELECT 'approved to shipped', seconds_between(approved_at, shipped_at) FROM q.orders WHERE is_delivered
    UNION ALL
    SELECT 'shipped to delivered', seconds_between(shipped_at, delivered_at) FROM q.orders WHERE is_delivered
    UNION ALL
    SELECT 'placed to delivered', seconds_between(placed_at, delivered_at) FROM q.orders WHERE is_delivered
), grouped AS (
    SELECT stage, count(*) AS orders, sum(seconds) AS seconds,
        q_median(seconds) AS median_seconds, quantile_disc(seconds, 0.9) AS p90_seconds
    FROM durations
    WHERE seconds >= 0
    GROUP BY stage
), negative AS (
    SELECT stage, count(*) AS orders FROM durations WHERE seconds < 0 GROUP BY stage
)
SELECT s.stage,
    CAST(coalesce(g.orders, 0) AS INTEGER) AS orders,
    q2(g.seconds, 86400 * g.orders) AS avg_days,
    q2(g.median_seconds, 86400) AS median_days,
    q2(g.p90_seconds, 86400) AS p90_days,
    CAST(coalesce(n.orders, 0) AS INTEGER) AS out_of_order
FROM stages AS s
LEFT JOIN grouped AS g USING (stage)
LEFT JOIN negative AS n USING (stage)
ORDER BY s.place
