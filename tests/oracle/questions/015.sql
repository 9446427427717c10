-- Freight as part of the order value.
WITH bands AS (
    SELECT 0 AS place, 'all' AS band UNION ALL SELECT * FROM q.price_bands
), valued AS (
    SELECT *, q_price_band(value) AS band, 100 * CAST(freight AS DOUBLE) / CAST(value AS DOUBLE) AS own_pct
    FROM q.orders
    WHERE is_delivered AND value > 0
)
SELECT b.band AS value_band,
    CAST(count(o.order_id) AS INTEGER) AS orders,
    q_sum(o.freight) AS freight,
    q_sum(o.value) AS order_value,
    q_pct(q_sum(o.freight), q_sum(o.value)) AS freight_pct,
    q2_near(avg(o.own_pct)) AS avg_order_freight_pct
FROM bands AS b
LEFT JOIN valued AS o ON b.band = 'all' OR o.band = b.band
GROUP BY b.place, b.band
ORDER BY b.place
