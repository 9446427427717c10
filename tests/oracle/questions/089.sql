WITH on_credit AS (
    SELECT *, q_installment_band(max_installments) AS band
    FROM q.orders
    WHERE order_id IN (SELECT order_id FROM q.payments WHERE method = 'credit_card')
), sums AS (
    SELECT band, count(*) AS orders, q_pct(count(*), sum(count(*)) OVER ()) AS orders_share_pct,
        q2(sum(value) FILTER (is_delivered), count(value) FILTER (is_delivered)) AS aov,
        q_pct(count(*) FILTER (is_lost), count(*)) AS lost_pct,
        q_late_pct(days_late) AS late_pct
    FROM on_credit
    GROUP BY band
), scores AS (
    SELECT band, q_mean(score) AS avg_score
    FROM on_credit JOIN q.reviews USING (order_id)
    WHERE on_credit.is_delivered
    GROUP BY band
)
SELECT band AS installments, CAST(coalesce(orders, 0) AS INTEGER) AS orders,
    coalesce(orders_share_pct, CAST(0 AS DECIMAL(14, 2))) AS orders_share_pct, aov, lost_pct, late_pct, avg_score
FROM q.installment_bands
LEFT JOIN sums USING (band)
LEFT JOIN scores USING (band)
ORDER BY place;
