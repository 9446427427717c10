-- Deliveries between regions.
WITH grouped AS (
    SELECT origin_region, region AS destination_region,
        count(*) AS deliveries,
        count(*) FILTER (days_late > 0) AS late,
        q_late_pct(days_late) AS late_pct,
        q_avg_days_late(days_late) AS avg_days_late
    FROM q.orders
    WHERE is_delivery AND item_count > 0
    GROUP BY origin_region, region
)
SELECT origin_region, destination_region,
    CAST(deliveries AS INTEGER) AS deliveries,
    CAST(late AS INTEGER) AS late,
    late_pct,
    q_pct(late, sum(late) OVER ()) AS share_of_late_pct,
    avg_days_late
FROM grouped
ORDER BY origin_region, destination_region
