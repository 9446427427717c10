WITH days AS (
    SELECT CAST(unnest(generate_series(
        make_date(CAST(first_no // 12 AS INTEGER), CAST(first_no % 12 + 1 AS INTEGER), 1), close_date, INTERVAL 1 DAY
    )) AS DATE) AS date
    FROM q.period
), kinds_of_days AS (
    SELECT days.date, unnest([
        {'dimension_no': 2, 'dimension': 'weekday', 'value_no': isodow(days.date), 'value': dayname(days.date)},
        {'dimension_no': 3, 'dimension': 'month', 'value_no': month(days.date), 'value': monthname(days.date)},
        {'dimension_no': 4, 'dimension': 'day type',
         'value_no': CASE WHEN holiday_name IS NOT NULL THEN 1 WHEN isodow(days.date) >= 6 THEN 2 ELSE 3 END,
         'value': CASE WHEN holiday_name IS NOT NULL THEN 'holiday' WHEN isodow(days.date) >= 6 THEN 'weekend'
                       ELSE 'working day' END}], recursive := true)
    FROM days LEFT JOIN reading.holiday USING (date)
), placed AS (
    SELECT placed_at, placed_on FROM q.orders WHERE placed_on IN (SELECT date FROM days)
), totals AS (
    SELECT (SELECT count(*) FROM placed) AS all_orders, (SELECT count(*) FROM days) AS all_days
), hours AS (
    SELECT 1 AS dimension_no, 'hour' AS dimension, hour AS value_no, lpad(CAST(hour AS VARCHAR), 2, '0') AS value,
        count(placed_at) AS orders, all_days AS days, 24 AS parts
    FROM (SELECT unnest(range(24)) AS hour) AS of_the_day
    LEFT JOIN placed ON hour(placed_at) = hour
    CROSS JOIN totals
    GROUP BY ALL
), kinds AS (
    SELECT dimension_no, dimension, value_no, value,
        count(placed_at) AS orders, count(DISTINCT date) AS days, 1 AS parts
    FROM kinds_of_days LEFT JOIN placed ON placed_on = date
    GROUP BY ALL
)
SELECT dimension, value, CAST(orders AS INTEGER) AS orders, q2(orders, days) AS orders_per_day,
    q_pct(parts * orders * all_days, days * all_orders) AS peak_index
FROM (FROM hours UNION ALL FROM kinds) AS everything CROSS JOIN totals
ORDER BY dimension_no, value_no;
