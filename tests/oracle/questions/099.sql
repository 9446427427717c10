WITH handed_over AS (
    SELECT order_id, t < r - 3 AS is_learnt_from, days_late > 0 AS is_late,
        coalesce(q_distance_band(distance_km), '?') AS distance,
        CAST(promised_by AS DATE) - CAST(shipped_at AS DATE) AS days_left,
        shipped_at > ship_by AS is_late_handover
    FROM q.orders JOIN q.months USING (month_no) CROSS JOIN q.period
    WHERE is_delivery AND promised_by IS NOT NULL AND item_count > 0 AND shipped_at IS NOT NULL AND t IS NOT NULL AND r >= 12
), features AS (
    SELECT order_id, is_learnt_from, is_late, unnest([
        {'feature': 'distance', 'value': distance},
        {'feature': 'days left', 'value': CASE WHEN days_left < 7 THEN '-7' WHEN days_left < 14 THEN '7-14'
            WHEN days_left < 21 THEN '14-21' WHEN days_left < 28 THEN '21-28' ELSE '28+' END},
        {'feature': 'late handover', 'value': CASE WHEN is_late_handover THEN 'yes' WHEN NOT is_late_handover THEN 'no' ELSE '?' END}], recursive := true)
    FROM handed_over
), learnt AS (
    SELECT feature, value, count(*) FILTER (is_late) AS late, count(*) FILTER (NOT is_late) AS other
    FROM features
    WHERE is_learnt_from
    GROUP BY ALL
), seen AS (
    SELECT feature, count(*) AS k, sum(late) AS all_late, sum(other) AS all_other FROM learnt GROUP BY feature
), scores AS (
    -- Late ones are 30 or more; without other ones the score is null.
    SELECT order_id, is_late,
        round(q_near(
            ln(CAST(any_value(all_late) AS DOUBLE) / CAST(nullif(any_value(all_other), 0) AS DOUBLE))
            + sum(ln(CAST((coalesce(late, 0) + 1) * (all_other + k) AS DOUBLE)
                     / CAST((coalesce(other, 0) + 1) * (all_late + k) AS DOUBLE)))), 6) AS score
    FROM features
    JOIN seen USING (feature)
    LEFT JOIN learnt USING (feature, value)
    WHERE NOT is_learnt_from AND all_late >= 30
    GROUP BY order_id, is_late
), tested AS (
    SELECT is_late, ntile(10) OVER (ORDER BY score DESC, order_id) AS risk_decile FROM scores
), deciles AS (
    SELECT risk_decile, count(*) AS orders, count(*) FILTER (is_late) AS late FROM tested GROUP BY risk_decile
), totals AS (
    SELECT sum(orders) AS all_orders, sum(late) AS all_late FROM deciles
)
SELECT CAST(risk_decile AS INTEGER) AS risk_decile, CAST(orders AS INTEGER) AS orders, CAST(late AS INTEGER) AS late,
    q_pct(late, orders) AS late_pct,
    q_pct(late * all_orders, orders * all_late) AS lift_index,
    q_pct(sum(late) OVER (ORDER BY risk_decile), all_late) AS captured_pct
FROM deciles CROSS JOIN totals
ORDER BY risk_decile;
