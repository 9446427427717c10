-- number = 76
-- group = "Campaign Planning"
-- title = "When do customers buy most?"
-- columns = "dimension* value* orders# orders_per_day peak_index"
-- key = ["dimension", "value"]
-- chart = { kind = "heat map", x = "value", y = "dimension", value = "peak_index" }
-- finding = [
--   "Against 100 in the mean, orders peak at {top(peak_index).peak_index} ({top(peak_index).dimension} {top(peak_index).value}) and are fewest at {low(peak_index).peak_index} ({low(peak_index).dimension} {low(peak_index).value}).",
-- ]
-- definition = """
-- All orders placed in the regular period by hour ('00' to '23'), weekday (Monday first), month (January first), day
-- type (holiday, else weekend, else working day), English names, kinds of day that occur. orders_per_day: per day of
-- the kind (hour: per day); peak_index = 100 x that / orders per day overall (hour: / a 24th of it), unrounded.
-- Holidays: rules.md R17.
-- """
-- caveat = ""
-- terms = ["dates, months", "regular period"]
-- [made_of]
-- orders_per_day = ["orders", "days"]
-- peak_index = ["orders", "days", "all_orders", "all_days"]

-- answer:
WITH days AS (
    SELECT
        day::date AS day,
        (extract(year FROM day) * 12 + extract(month FROM day) - 1)::int AS month_no,
        CASE WHEN d.is_holiday THEN 1 WHEN extract(isodow FROM day) >= 6 THEN 2 ELSE 3 END AS day_type
    FROM period AS p
    CROSS JOIN generate_series(
        make_date(p.first_no / 12, p.first_no % 12 + 1, 1)::timestamp, p.close_date::timestamp, interval '1 day'
    ) AS day
    LEFT JOIN dim_date AS d ON d.date = day::date
), placed AS (
    SELECT d.day, d.day_type, extract(hour FROM o.placed_at)::int AS hour
    FROM orders AS o JOIN days AS d ON d.day = o.placed_on
), kinds AS (
    SELECT 'weekday' AS dimension, extract(isodow FROM day)::int AS place, count(*) AS days FROM days GROUP BY 2
    UNION ALL
    SELECT 'month', extract(month FROM day)::int, count(*) FROM days GROUP BY 2
    UNION ALL
    SELECT 'day type', day_type, count(*) FROM days GROUP BY 2
    UNION ALL
    SELECT 'hour', hour, (SELECT count(*) FROM days) FROM generate_series(0, 23) AS hour
), counted AS (
    SELECT 'weekday' AS dimension, extract(isodow FROM day)::int AS place, count(*) AS orders FROM placed GROUP BY 2
    UNION ALL
    SELECT 'month', extract(month FROM day)::int, count(*) FROM placed GROUP BY 2
    UNION ALL
    SELECT 'day type', day_type, count(*) FROM placed GROUP BY 2
    UNION ALL
    SELECT 'hour', hour, count(*) FROM placed GROUP BY 2
), totals AS (
    SELECT (SELECT count(*) FROM placed) AS all_orders, (SELECT count(*) FROM days) AS all_days
)
SELECT
    dimension,
    CASE dimension
        WHEN 'hour' THEN to_char(place, 'FM00')
        WHEN 'weekday' THEN to_char(date '2018-01-01' + place - 1, 'FMDay')
        WHEN 'month' THEN to_char(make_date(2018, place, 1), 'FMMonth')
        ELSE (ARRAY['holiday', 'weekend', 'working day'])[place]
    END AS value,
    coalesce(orders, 0)::int AS orders,
    round(1.0 * coalesce(orders, 0) / nullif(days, 0), 2) AS orders_per_day,
    round(
        100.0 * CASE WHEN dimension = 'hour' THEN 24 ELSE 1 END * coalesce(orders, 0) * all_days
        / nullif(1.0 * days * all_orders, 0),
        2
    ) AS peak_index
FROM kinds
LEFT JOIN counted USING (dimension, place)
CROSS JOIN totals
ORDER BY array_position(ARRAY['hour', 'weekday', 'month', 'day type'], dimension), place

-- rows:
WITH days AS (
    SELECT
        day::date AS day,
        CASE WHEN d.is_holiday THEN 'holiday'
            WHEN extract(isodow FROM day) >= 6 THEN 'weekend'
            ELSE 'working day'
        END AS day_type
    FROM period AS p
    CROSS JOIN generate_series(
        make_date(p.first_no / 12, p.first_no % 12 + 1, 1)::timestamp, p.close_date::timestamp, interval '1 day'
    ) AS day
    LEFT JOIN dim_date AS d ON d.date = day::date
), placed AS (
    SELECT o.order_id, o.placed_at, d.day, d.day_type FROM orders AS o JOIN days AS d ON d.day = o.placed_on
), kinds AS (
    SELECT DISTINCT dimension, value
    FROM days
    CROSS JOIN LATERAL (
        VALUES ('weekday', to_char(day, 'FMDay')), ('month', to_char(day, 'FMMonth')), ('day type', day_type)
    ) AS kind (dimension, value)
    UNION ALL
    SELECT 'hour', to_char(hour, 'FM00') FROM generate_series(0, 23) AS hour
)
SELECT dimension, value, 'orders' AS measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM placed
CROSS JOIN LATERAL (
    VALUES
        ('hour', to_char(placed_at, 'HH24')),
        ('weekday', to_char(day, 'FMDay')),
        ('month', to_char(day, 'FMMonth')),
        ('day type', day_type)
) AS kind (dimension, value)
UNION ALL
SELECT dimension, value, 'all_orders', 'sales.fact_order', order_id::text, 1
FROM kinds CROSS JOIN placed
UNION ALL
SELECT dimension, value, 'days', 'shared.dim_date', to_char(day, 'YYYYMMDD'), 1
FROM days
CROSS JOIN LATERAL (
    VALUES ('weekday', to_char(day, 'FMDay')), ('month', to_char(day, 'FMMonth')), ('day type', day_type)
) AS kind (dimension, value)
UNION ALL
SELECT 'hour', to_char(hour, 'FM00'), 'days', 'shared.dim_date', to_char(day, 'YYYYMMDD'), 1
FROM days CROSS JOIN generate_series(0, 23) AS hour
UNION ALL
SELECT dimension, value, 'all_days', 'shared.dim_date', to_char(day, 'YYYYMMDD'), 1
FROM kinds CROSS JOIN days
