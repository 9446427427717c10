-- Photos are unknown where there are none (question 45). Factors are whole numbers or quotients of two, but for the
-- distance, so that equal ones are equal as DOUBLE.
WITH measured AS (
    SELECT reviews.score, unnest([
        {'factor': 'delivery_days', 'value': CAST(orders.delivery_seconds AS DOUBLE)},
        {'factor': 'days_late', 'value': CAST(orders.days_late AS DOUBLE)},
        {'factor': 'days_before_promise',
         'value': CAST(CAST(promised_by AS DATE) - CAST(delivered_at AS DATE) AS DOUBLE)},
        {'factor': 'promised_days', 'value': CAST(CAST(promised_by AS DATE) - placed_on AS DOUBLE)},
        {'factor': 'lines', 'value': CAST(item_count AS DOUBLE)},
        {'factor': 'sellers', 'value': CAST(seller_count AS DOUBLE)},
        {'factor': 'order_value', 'value': CAST(100 * orders.value AS DOUBLE)},
        {'factor': 'freight_pct',
         'value': CASE WHEN orders.value > 0 THEN CAST(100 * freight AS DOUBLE) / CAST(100 * orders.value AS DOUBLE) END},
        {'factor': 'installments', 'value': CAST(max_installments AS DOUBLE)},
        {'factor': 'distance_km', 'value': distance_km},
        {'factor': 'photos', 'value': CAST(nullif(photos, 0) AS DOUBLE)},
        {'factor': 'description_length', 'value': CAST(description_length AS DOUBLE)}], recursive := true)
    FROM q.reviews AS reviews
    JOIN q.orders AS orders USING (order_id)
    LEFT JOIN q.products AS products ON products.product_id = first_product_id
    WHERE orders.is_delivery AND item_count > 0
), known AS (
    SELECT factor, value, score FROM measured WHERE value IS NOT NULL
), quarters AS (
    SELECT factor, quantile_disc(value, 0.25) AS low, quantile_disc(value, 0.75) AS high FROM known GROUP BY factor
), factors AS (
    SELECT factor, count(*) AS reviews, q_correlation(score, value) AS correlation,
        q_mean(CASE WHEN value <= low THEN score END) AS score_low_quarter,
        q_mean(CASE WHEN value >= high THEN score END) AS score_high_quarter
    FROM known JOIN quarters USING (factor)
    GROUP BY factor
)
SELECT factor, CAST(coalesce(reviews, 0) AS INTEGER) AS reviews, q4_near(factors.correlation) AS correlation,
    q2_near(100 * factors.correlation * factors.correlation) AS explained_pct,
    score_low_quarter, score_high_quarter
FROM (SELECT unnest(['delivery_days', 'days_late', 'days_before_promise', 'promised_days', 'lines', 'sellers',
    'order_value', 'freight_pct', 'installments', 'distance_km', 'photos', 'description_length']) AS factor) AS listed
LEFT JOIN factors USING (factor)
ORDER BY abs(q4_near(factors.correlation)) DESC, factor;
