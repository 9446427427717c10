WITH deliveries AS (
    SELECT order_id, freight, delivery_seconds, days_late, distance_km AS km,
        unnest(['all', q_distance_band(orders.distance_km)]) AS band
    FROM q.orders AS orders
    WHERE is_delivery AND orders.distance_km IS NOT NULL
), measured AS (
    SELECT band, count(*) AS deliveries, q_mean_days(delivery_seconds) AS avg_delivery_days,
        q_late_pct(days_late) AS late_pct, q_mean(freight) AS avg_freight
    FROM deliveries
    GROUP BY band
), scores AS (
    SELECT band, q_mean(score) AS avg_score, q4_near(q_correlation(score, km)) AS correlation
    FROM deliveries JOIN q.reviews USING (order_id)
    GROUP BY band
), bands AS (
    SELECT 0 AS place, 'all' AS band
    UNION ALL
    SELECT place, band FROM q.distance_bands
)
SELECT band AS distance_km, CAST(coalesce(deliveries, 0) AS INTEGER) AS deliveries, avg_score, avg_delivery_days,
    late_pct, avg_freight, CASE WHEN band = 'all' THEN correlation END AS correlation
FROM bands
LEFT JOIN measured USING (band)
LEFT JOIN scores USING (band)
ORDER BY place;
