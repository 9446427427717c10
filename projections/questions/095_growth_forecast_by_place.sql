-- number = 95
-- group = "Demand Forecasting"
-- title = "Which regions and states will grow fastest?"
-- columns = "level* place* orders# gmv_last_6_months gmv_next_6_months growth_pct fit_r2.4"
-- key = ["level", "place"]
-- chart = { kind = "map", x = "place", y = ["growth_pct"], series = "level" }
-- finding = [
--   "By its trend {first.place} grows fastest of the regions, by {first.growth_pct} in the next six months to {first.gmv_next_6_months}; of the states it is {is(state).place}, by {is(state).growth_pct}. {backtest.verdict}",
--   "By its trend {first.place} grows fastest of the regions, by {first.growth_pct} in the next six months. {backtest.verdict}",
-- ]
-- definition = """
-- Valid orders with lines in the regular period by level region (all), then state (min_orders): GMV of the last six
-- months, sum of the six forecasts after, change. Empty if R < 12. Forecast by trend of monthly GMV; fit_r2 its R
-- squared. Sort: level (as listed), -growth_pct, place.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "regular period", "state, region, city of an order", "correlation, trend, MAPE"]
-- [parameters]
-- min_orders = { default = 30, minimum = 0 }
-- [made_of]
-- gmv_next_6_months = ["gmv"]
-- growth_pct = ["gmv", "gmv_last_6_months"]
-- fit_r2 = ["gmv"]

-- answer:
WITH sold AS (
    SELECT m.t, o.region, o.state, o.price
    FROM orders AS o JOIN months AS m USING (month_no)
    WHERE o.is_valid AND o.item_count > 0 AND m.t IS NOT NULL
), counted AS (
    SELECT 'region' AS level, region AS place, t, count(*) AS orders, sum(price) AS gmv FROM sold GROUP BY region, t
    UNION ALL
    SELECT 'state', state, t, count(*), sum(price) FROM sold GROUP BY state, t
), places AS (
    SELECT level, place, sum(orders) AS orders
    FROM counted
    GROUP BY level, place
    HAVING level = 'region' OR sum(orders) >= :min_orders
), series AS (
    SELECT level, place, a.orders, m.t, coalesce(c.gmv, 0) AS y
    FROM places AS a CROSS JOIN months AS m LEFT JOIN counted AS c USING (level, place, t)
    WHERE m.t IS NOT NULL
), summed AS (  -- deviations of t from its mean: their squares, their products with y
    SELECT
        level,
        place,
        s.orders,
        p.r,
        (p.r - 1) / 2.0 AS middle,
        1.0 * p.r * (p.r * p.r - 1) / 12 AS sxx,
        avg(y) AS mean,
        sum(t * y) - (p.r - 1) / 2.0 * sum(y) AS sxy,
        sum(y * y) - sum(y) * sum(y) / p.r AS syy,
        sum(y) FILTER (WHERE t >= p.r - 6) AS last_six,
        min(y) < max(y) AS varies
    FROM series AS s CROSS JOIN period AS p
    WHERE p.r >= 12
    GROUP BY level, place, s.orders, p.r
), figures AS (
    SELECT
        level,
        place,
        s.orders::int AS orders,
        round(last_six, 2) AS gmv_last_6_months,
        next_six AS gmv_next_6_months,
        round(round(100 * (next_six - last_six) / nullif(last_six, 0), 10), 2) AS growth_pct,
        CASE WHEN varies THEN round(round(sxy * sxy / (sxx * nullif(syy, 0)), 10), 4) END AS fit_r2
    FROM summed AS s
    CROSS JOIN LATERAL (
        SELECT sum(greatest(0, mean + sxy / sxx * (r - 1 + ahead - middle))) AS next_six
        FROM generate_series(1, 6) AS ahead
    ) AS forecast
)
SELECT
    level,
    place,
    orders,
    gmv_last_6_months,
    round(round(gmv_next_6_months, 10), 2) AS gmv_next_6_months,
    growth_pct,
    fit_r2
FROM figures
ORDER BY level COLLATE "C", growth_pct DESC NULLS LAST, place COLLATE "C"

-- rows:
SELECT level, place, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders AS o
JOIN months AS m USING (month_no)
CROSS JOIN period AS p
CROSS JOIN LATERAL (VALUES ('region', o.region), ('state', o.state)) AS located (level, place)
CROSS JOIN LATERAL (
    VALUES ('orders', 1), ('gmv', o.price), ('gmv_last_6_months', CASE WHEN m.t >= p.r - 6 THEN o.price END)
) AS figure (measure, part)
WHERE o.is_valid AND o.item_count > 0 AND m.t IS NOT NULL AND part <> 0

-- backtest:
WITH sold AS (
    SELECT m.t, o.region, o.state, o.price
    FROM orders AS o JOIN months AS m USING (month_no)
    WHERE o.is_valid AND o.item_count > 0 AND m.t IS NOT NULL
), counted AS (
    SELECT 'region' AS level, region AS place, t, count(*) AS orders, sum(price) AS gmv FROM sold GROUP BY region, t
    UNION ALL
    SELECT 'state', state, t, count(*), sum(price) FROM sold GROUP BY state, t
), places AS (
    SELECT level, place
    FROM counted
    GROUP BY level, place
    HAVING level = 'region' OR sum(orders) >= :min_orders
), series AS (
    SELECT level, place, m.t, coalesce(c.gmv, 0) AS y
    FROM places AS a CROSS JOIN months AS m LEFT JOIN counted AS c USING (level, place, t)
    WHERE m.t IS NOT NULL
), fitted AS (  -- to the first n months
    SELECT
        level,
        place,
        t + 1 AS n,
        t / 2.0 AS middle,
        sum(y) OVER w / (t + 1) AS mean,
        12 * (sum(t * y) OVER w - t / 2.0 * sum(y) OVER w) / nullif((t + 1.0) * t * (t + 2), 0) AS slope,
        avg(y) OVER (w ROWS 2 PRECEDING) AS recent
    FROM series
    WINDOW w AS (PARTITION BY level, place ORDER BY t)
), forecast AS (  -- each of the last six months that has one a year before
    SELECT
        s.t,
        s.y,
        greatest(0, f.mean + f.slope * (s.t - f.middle)) AS model,
        before.y AS naive,
        f.recent AS mean
    FROM period AS p
    JOIN series AS s ON s.t >= greatest(p.r - 6, 12)
    JOIN fitted AS f ON f.level = s.level AND f.place = s.place AND f.n = s.t
    JOIN series AS before ON before.level = s.level AND before.place = s.place AND before.t = s.t - 12
), errors AS (
    SELECT
        count(DISTINCT t)::int AS origins,
        round(round(avg(100 * abs(y - model) / nullif(y, 0)), 10), 2) AS mape_model,
        round(round(avg(100 * abs(y - naive) / nullif(y, 0)), 10), 2) AS mape_naive,
        round(round(avg(100 * abs(y - mean) / nullif(y, 0)), 10), 2) AS mape_mean
    FROM forecast
)
SELECT
    'trend' AS method,
    origins,
    mape_model,
    mape_naive,
    mape_mean,
    NULL::numeric AS coverage,
    CASE WHEN mape_model IS NULL THEN 'There are too few months to test the forecast on.'
        WHEN mape_model <= least(mape_naive, mape_mean)
            THEN 'The trend did at least as well as repeating last year''s months or a mean of the last three.'
        WHEN mape_mean <= mape_naive THEN 'A plain mean of the last three months did better.'
        ELSE 'Repeating last year''s months did better.'
    END AS verdict
FROM errors
