-- number = 94
-- group = "Demand Forecasting"
-- title = "What daily order load should we plan for?"
-- columns = "month* past_orders_per_day past_p95_per_day# past_max_per_day# seasonal_index forecast_per_day capacity_per_day"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["past_orders_per_day", "forecast_per_day", "capacity_per_day"] }
-- finding = [
--   "The busiest month ahead is {top(capacity_per_day).month}: {top(capacity_per_day).forecast_per_day} orders a day are expected, and {top(capacity_per_day).capacity_per_day} are to be planned for. {backtest.verdict}",
-- ]
-- definition = """
-- The twelve months after the regular period; past: days of the same calendar month in it (days without orders
-- count): mean, 95 % quantile and maximum of all orders a day. Months not seen are left out. Empty if R < 12.
-- seasonal_index as in 17, on all orders. forecast_per_day = forecast by trend x index / 100 / days of the month;
-- capacity_per_day = that x past p95 / past mean, unrounded.
-- """
-- caveat = ""
-- terms = ["regular period", "dates, months", "correlation, trend, MAPE"]
-- [made_of]
-- past_orders_per_day = ["past_orders", "past_days"]
-- past_p95_per_day = ["past_orders", "past_days"]
-- past_max_per_day = ["past_orders", "past_days"]
-- seasonal_index = ["regular_orders"]
-- forecast_per_day = ["regular_orders"]
-- capacity_per_day = ["regular_orders", "past_orders", "past_days"]

-- answer:
WITH series AS (
    SELECT t, calendar_month, orders AS y FROM months WHERE t IS NOT NULL
), fitted AS (
    SELECT
        (r - 1) / 2.0 AS middle,
        avg(y) AS mean,
        12 * (sum(t * y) - (r - 1) / 2.0 * sum(y)) / nullif(1.0 * r * (r * r - 1), 0) AS slope
    FROM series CROSS JOIN period
    GROUP BY r
), compared AS (  -- a calendar month with the trend
    SELECT s.calendar_month, avg(s.y / trend.y) AS ratio
    FROM series AS s
    CROSS JOIN fitted AS f
    CROSS JOIN LATERAL (SELECT f.mean + f.slope * (s.t - f.middle) AS y) AS trend
    WHERE trend.y > 0
    GROUP BY s.calendar_month
), seasonal AS (
    SELECT calendar_month, ratio / nullif(avg(ratio) OVER (), 0) AS factor FROM compared
), days AS (
    SELECT extract(month FROM day)::int AS calendar_month, coalesce(o.orders, 0) AS orders
    FROM period AS p
    CROSS JOIN generate_series(
        make_date(p.first_no / 12, p.first_no % 12 + 1, 1)::timestamp, p.close_date::timestamp, interval '1 day'
    ) AS day
    LEFT JOIN (SELECT placed_on, count(*) AS orders FROM orders GROUP BY placed_on) AS o ON o.placed_on = day::date
), past AS (
    SELECT
        calendar_month,
        sum(orders) AS orders,
        count(*) AS days,
        percentile_disc(0.95) WITHIN GROUP (ORDER BY orders) AS p95,
        max(orders) AS most
    FROM days
    GROUP BY calendar_month
), ahead AS (
    SELECT make_date((p.last_no + n) / 12, (p.last_no + n) % 12 + 1, 1) AS first_day, p.r - 1 + n AS t
    FROM period AS p CROSS JOIN generate_series(1, 12) AS n
    WHERE p.r >= 12
), forecast AS (
    SELECT
        a.first_day,
        p.*,
        s.factor,
        greatest(0, f.mean + f.slope * (a.t - f.middle)) * s.factor
            / ((a.first_day + interval '1 month')::date - a.first_day) AS per_day
    FROM ahead AS a
    CROSS JOIN fitted AS f
    JOIN past AS p ON p.calendar_month = extract(month FROM a.first_day)
    LEFT JOIN seasonal AS s USING (calendar_month)
)
SELECT
    to_char(first_day, 'YYYY-MM') AS month,
    round(orders / days, 2) AS past_orders_per_day,
    p95::int AS past_p95_per_day,
    most::int AS past_max_per_day,
    round(round(100 * factor, 10), 2) AS seasonal_index,
    round(round(per_day, 10), 2) AS forecast_per_day,
    round(round(per_day * p95 * days / nullif(orders, 0), 10), 2) AS capacity_per_day
FROM forecast
ORDER BY first_day

-- rows:
WITH ahead AS (
    SELECT
        to_char(make_date((p.last_no + n) / 12, (p.last_no + n) % 12 + 1, 1), 'YYYY-MM') AS month,
        (p.last_no + n) % 12 + 1 AS calendar_month
    FROM period AS p CROSS JOIN generate_series(1, 12) AS n
), placed AS (
    SELECT o.order_id, m.calendar_month FROM orders AS o JOIN months AS m USING (month_no) WHERE m.t IS NOT NULL
)
SELECT a.month, measure, 'sales.fact_order' AS "table", p.order_id::text AS key, 1 AS part
FROM ahead AS a
CROSS JOIN placed AS p
CROSS JOIN LATERAL (
    VALUES ('regular_orders', true), ('past_orders', a.calendar_month = p.calendar_month)
) AS figure (measure, counts)
WHERE counts
UNION ALL
SELECT a.month, 'past_days', 'shared.dim_date', to_char(day, 'YYYYMMDD'), 1
FROM ahead AS a
JOIN months AS m USING (calendar_month)
CROSS JOIN generate_series(m.first_day::timestamp, m.last_day::timestamp, interval '1 day') AS day
WHERE m.t IS NOT NULL

-- backtest:
WITH series AS (
    SELECT t, calendar_month, orders AS y FROM months WHERE t IS NOT NULL
), origin AS (  -- each of the last six months that has one a year before, forecast by those before it
    SELECT s.t AS n, s.calendar_month, s.y FROM series AS s CROSS JOIN period AS p WHERE s.t >= greatest(p.r - 6, 12)
), fitted AS (
    SELECT
        o.n,
        (o.n - 1) / 2.0 AS middle,
        avg(s.y) AS mean,
        12 * (sum(s.t * s.y) - (o.n - 1) / 2.0 * sum(s.y)) / (1.0 * o.n * (o.n * o.n - 1)) AS slope,
        avg(s.y) FILTER (WHERE s.t >= o.n - 3) AS recent,
        max(s.y) FILTER (WHERE s.t = o.n - 12) AS before
    FROM origin AS o JOIN series AS s ON s.t < o.n
    GROUP BY o.n
), compared AS (
    SELECT f.n, s.calendar_month, avg(s.y / trend.y) AS ratio
    FROM fitted AS f
    JOIN series AS s ON s.t < f.n
    CROSS JOIN LATERAL (SELECT f.mean + f.slope * (s.t - f.middle) AS y) AS trend
    WHERE trend.y > 0
    GROUP BY f.n, s.calendar_month
), seasonal AS (
    SELECT n, calendar_month, ratio / nullif(avg(ratio) OVER (PARTITION BY n), 0) AS factor FROM compared
), forecast AS (
    SELECT
        o.y,
        greatest(0, f.mean + f.slope * (o.n - f.middle)) * s.factor AS model,
        f.before AS naive,
        f.recent AS mean
    FROM origin AS o JOIN fitted AS f USING (n) LEFT JOIN seasonal AS s USING (n, calendar_month)
), errors AS (
    SELECT
        count(*)::int AS origins,
        round(round(avg(100.0 * abs(y - model) / nullif(y, 0)), 10), 2) AS mape_model,
        round(round(avg(100.0 * abs(y - naive) / nullif(y, 0)), 10), 2) AS mape_naive,
        round(round(avg(100.0 * abs(y - mean) / nullif(y, 0)), 10), 2) AS mape_mean
    FROM forecast
)
SELECT
    'trend with seasonal index' AS method,
    origins,
    mape_model,
    mape_naive,
    mape_mean,
    NULL::numeric AS coverage,
    CASE WHEN mape_model IS NULL THEN 'There are too few months to test the forecast on.'
        WHEN mape_model <= least(mape_naive, mape_mean)
            THEN 'This did at least as well as repeating last year''s months or a mean of the last three.'
        WHEN mape_mean <= mape_naive THEN 'A plain mean of the last three months did better.'
        ELSE 'Repeating last year''s months did better.'
    END AS verdict
FROM errors
