-- Deliveries by freight.
WITH bands (place, band, lowest, below) AS (
    VALUES (0, 'all', 0, NULL), (1, '0-10', 0, 10), (2, '10-15', 10, 15), (3, '15-20', 15, 20), (4, '20-30', 20, 30),
        (5, '30-50', 30, 50), (6, '50+', 50, NULL)
), deliveries AS (
    SELECT * FROM q.orders WHERE is_delivery AND item_count > 0
)
SELECT b.band AS freight_band,
    CAST(count(d.order_id) AS INTEGER) AS deliveries,
    q_mean(d.freight) AS avg_freight,
    q_mean_days(d.delivery_seconds) AS avg_delivery_days,
    q_late_pct(d.days_late) AS late_pct,
    q2_near(avg(d.distance_km)) AS avg_distance_km,
    CASE WHEN b.band = 'all' THEN q4_near(q_correlation(d.delivery_seconds, d.freight)) END AS correlation
FROM bands AS b
LEFT JOIN deliveries AS d ON d.freight >= b.lowest AND (b.below IS NULL OR d.freight < b.below)
GROUP BY b.place, b.band
ORDER BY b.place
