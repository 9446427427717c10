-- min_orders=10 top=3
WITH grouped AS (
    SELECT region AS destination_region, origin_state,
        count(*) AS deliveries,
        q_mean_days(delivery_seconds) AS avg_delivery_days,
        q_late_pct(days_late) AS late_pct,
        q_mean(freight) AS avg_freight
    FROM q.orders
    WHERE is_delivery AND seller_count = 1
    GROUP BY region, origin_state
    HAVING count(*) >= $min_orders
), ranked AS (
    SELECT *,
        row_number() OVER (
            PARTITION BY destination_region ORDER BY avg_delivery_days, late_pct, origin_state) AS rank
    FROM grouped
)
SELECT destination_region,
    CAST(rank AS INTEGER) AS rank,
    origin_state,
    CAST(deliveries AS INTEGER) AS deliveries,
    avg_delivery_days, late_pct, avg_freight
FROM ranked
WHERE rank <= $top
ORDER BY destination_region, rank
