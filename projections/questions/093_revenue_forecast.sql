-- number = 93
-- group = "Demand Forecasting"
-- title = "What revenue do we expect in the next twelve months?"
-- columns = "month* trend_forecast low_95 high_95 seasonal_forecast trend_mape seasonal_mape"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["trend_forecast", "low_95", "high_95", "seasonal_forecast"] }
-- finding = [
--   "The trend expects {first.trend_forecast} in {first.month} and {last.trend_forecast} in {last.month}; it was {first.trend_mape} off in the last three months, last year's pattern {first.seasonal_mape}. Its 95 % band held {backtest.coverage} of the last months. {backtest.verdict}",
--   "The trend expects {first.trend_forecast} in {first.month} and {last.trend_forecast} in {last.month}. {backtest.verdict}",
-- ]
-- definition = """
-- The twelve months after the regular period, delivered revenue. Empty if R < 18. trend_forecast; low, high: trend
-- -/+ 1.96 s sqrt(1 + 1/R + (t - mean t)^2 / Sxx), s^2 = squared residuals / (R - 2); none below 0.
-- seasonal_forecast: same month a year before x g, g = revenue of the last three months / same three a year before.
-- MAPEs: both refitted without the last three regular months, tested on them.
-- """
-- caveat = ""
-- terms = ["revenue, GMV", "regular period", "correlation, trend, MAPE"]
-- [made_of]
-- trend_forecast = ["regular_revenue"]
-- low_95 = ["regular_revenue"]
-- high_95 = ["regular_revenue"]
-- seasonal_forecast = ["revenue_a_year_before", "regular_revenue"]
-- trend_mape = ["regular_revenue"]
-- seasonal_mape = ["regular_revenue"]

-- answer:
WITH series AS (
    SELECT m.t, coalesce(sum(o.value), 0) AS y
    FROM months AS m LEFT JOIN orders AS o ON o.month_no = m.month_no AND o.is_delivered
    WHERE m.t IS NOT NULL
    GROUP BY m.t
), summed AS (  -- over the first n months; deviations of t from its mean: their squares, their products with y
    SELECT
        t + 1 AS n,
        t / 2.0 AS middle,
        (t + 1.0) * t * (t + 2) / 12 AS sxx,
        sum(y) OVER w / (t + 1) AS mean,
        sum(t * y) OVER w - t / 2.0 * sum(y) OVER w AS sxy,
        sum(y * y) OVER w - power(sum(y) OVER w, 2) / (t + 1) AS syy,
        sum(y) OVER (w ROWS 2 PRECEDING) AS last_three
    FROM series
    WINDOW w AS (ORDER BY t)
), fitted AS (
    SELECT
        s.n,
        s.middle,
        s.sxx,
        s.mean,
        s.sxy / nullif(s.sxx, 0) AS slope,
        sqrt(greatest(s.syy - s.sxy * s.sxy / nullif(s.sxx, 0), 0) / nullif(s.n - 2, 0)) AS deviation,
        s.last_three / nullif(before.last_three, 0) AS growth
    FROM summed AS s LEFT JOIN summed AS before ON before.n = s.n - 12
), tested AS (
    SELECT
        round(round(
            avg(100 * abs(s.y - greatest(0, f.mean + f.slope * (s.t - f.middle))) / nullif(s.y, 0)), 10
        ), 2) AS trend_mape,
        round(round(avg(100 * abs(s.y - before.y * f.growth) / nullif(s.y, 0)), 10), 2) AS seasonal_mape
    FROM period AS p
    JOIN fitted AS f ON f.n = p.r - 3
    JOIN series AS s ON s.t >= p.r - 3
    JOIN series AS before ON before.t = s.t - 12
), forecast AS (
    SELECT
        p.last_no + ahead AS month_no,
        f.mean + f.slope * (p.r - 1 + ahead - f.middle) AS trend,
        1.96 * f.deviation * sqrt(1 + 1.0 / p.r + power(p.r - 1 + ahead - f.middle, 2) / f.sxx) AS margin,
        before.y * f.growth AS seasonal
    FROM period AS p
    JOIN fitted AS f ON f.n = p.r
    CROSS JOIN generate_series(1, 12) AS ahead
    JOIN series AS before ON before.t = p.r - 1 + ahead - 12
    WHERE p.r >= 18
)
SELECT
    to_char(make_date(month_no / 12, month_no % 12 + 1, 1), 'YYYY-MM') AS month,
    round(round(greatest(0, trend), 10), 2) AS trend_forecast,
    round(round(greatest(0, trend - margin), 10), 2) AS low_95,
    round(round(greatest(0, trend + margin), 10), 2) AS high_95,
    round(round(seasonal, 10), 2) AS seasonal_forecast,
    trend_mape,
    seasonal_mape
FROM forecast CROSS JOIN tested
ORDER BY month_no

-- rows:
WITH sold AS (
    SELECT o.order_id, o.value, m.t FROM orders AS o JOIN months AS m USING (month_no)
    WHERE o.is_delivered AND m.t IS NOT NULL
)
SELECT
    to_char(make_date((p.last_no + ahead) / 12, (p.last_no + ahead) % 12 + 1, 1), 'YYYY-MM') AS month,
    measure,
    'sales.fact_order' AS "table",
    s.order_id::text AS key,
    s.value AS part
FROM sold AS s
CROSS JOIN period AS p
CROSS JOIN generate_series(1, 12) AS ahead
CROSS JOIN LATERAL (
    VALUES ('regular_revenue', true), ('revenue_a_year_before', s.t = p.r - 1 + ahead - 12)
) AS figure (measure, counts)
WHERE counts AND s.value <> 0

-- backtest:
WITH series AS (
    SELECT m.t, coalesce(sum(o.value), 0) AS y
    FROM months AS m LEFT JOIN orders AS o ON o.month_no = m.month_no AND o.is_delivered
    WHERE m.t IS NOT NULL
    GROUP BY m.t
), summed AS (
    SELECT
        t + 1 AS n,
        t / 2.0 AS middle,
        (t + 1.0) * t * (t + 2) / 12 AS sxx,
        sum(y) OVER w / (t + 1) AS mean,
        sum(t * y) OVER w - t / 2.0 * sum(y) OVER w AS sxy,
        sum(y * y) OVER w - power(sum(y) OVER w, 2) / (t + 1) AS syy,
        avg(y) OVER (w ROWS 2 PRECEDING) AS recent
    FROM series
    WINDOW w AS (ORDER BY t)
), forecast AS (  -- each of the last six months, by those before it
    SELECT
        s.y,
        f.mean + f.sxy / f.sxx * (s.t - f.middle) AS trend,
        1.96 * sqrt(greatest(f.syy - f.sxy * f.sxy / f.sxx, 0) / (f.n - 2))
            * sqrt(1 + 1.0 / f.n + power(s.t - f.middle, 2) / f.sxx) AS margin,
        before.y AS naive,
        f.recent AS mean
    FROM period AS p
    JOIN series AS s ON s.t >= p.r - 6
    JOIN summed AS f ON f.n = s.t
    JOIN series AS before ON before.t = s.t - 12
    WHERE p.r >= 18
), errors AS (
    SELECT
        count(*)::int AS origins,
        round(round(avg(100 * abs(y - greatest(0, trend)) / nullif(y, 0)), 10), 2) AS mape_model,
        round(round(avg(100 * abs(y - naive) / nullif(y, 0)), 10), 2) AS mape_naive,
        round(round(avg(100 * abs(y - mean) / nullif(y, 0)), 10), 2) AS mape_mean,
        round(
            100.0 * count(*) FILTER (WHERE y BETWEEN trend - margin AND trend + margin) / nullif(count(*), 0), 2
        ) AS coverage
    FROM forecast
)
SELECT
    'trend' AS method,
    origins,
    mape_model,
    mape_naive,
    mape_mean,
    coverage,
    CASE WHEN mape_model IS NULL THEN 'There are too few months to test the forecast on.'
        WHEN mape_model <= least(mape_naive, mape_mean)
            THEN 'The trend did at least as well as repeating last year''s months or a mean of the last three.'
        WHEN mape_mean <= mape_naive THEN 'A plain mean of the last three months did better.'
        ELSE 'Repeating last year''s months did better.'
    END AS verdict
FROM errors
