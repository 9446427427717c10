WITH again AS (
    SELECT customer_id, coalesce(sum(value), 0) AS value
    FROM q.orders CROSS JOIN q.period
    WHERE is_delivered AND placed_on > close_date - 180 AND placed_on <= close_date
    GROUP BY customer_id
), past AS (
    SELECT segment, count(*) AS customers, count(again.customer_id) AS bought_again, coalesce(sum(value), 0) AS value
    FROM q.segments((SELECT close_date - 180 FROM q.period)) LEFT JOIN again USING (customer_id)
    GROUP BY segment
), present AS (
    SELECT segment, count(*) AS customers, q_mean(spent) AS value_to_date
    FROM q.segments((SELECT evaluation_date FROM q.period))
    GROUP BY segment
)
SELECT segment, CAST(coalesce(past.customers, 0) AS INTEGER) AS customers_then,
    CAST(coalesce(bought_again, 0) AS INTEGER) AS bought_again,
    q_pct(bought_again, past.customers) AS bought_again_pct,
    q2(365 * value, 180 * past.customers) AS value_next_12_months,
    CAST(coalesce(present.customers, 0) AS INTEGER) AS customers_now,
    value_to_date,
    q2(365 * value * coalesce(present.customers, 0), 180 * past.customers) AS segment_value_next_12_months
FROM (VALUES (1, 'NEW'), (2, 'ONE_TIME'), (3, 'REGULAR'), (4, 'LOYAL'), (5, 'VIP'), (6, 'CHURNED'))
    AS listed (place, segment)
LEFT JOIN past USING (segment)
LEFT JOIN present USING (segment)
ORDER BY place;
