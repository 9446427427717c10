-- number = 91
-- group = "Demand Forecasting"
-- title = "How many orders will each top category get next quarter?"
-- columns = "category* month* method* forecast_orders orders_a_year_before# backtest_mape"
-- key = ["category", "month"]
-- chart = { kind = "line", x = "month", y = ["forecast_orders", "orders_a_year_before"], series = "category" }
-- finding = [
--   "{first.category} will get {first.forecast_orders} orders in {first.month}, after {first.orders_a_year_before} a year before; its forecasts were {first.backtest_mape} off in the last three months. {backtest.verdict}",
--   "{first.category} will get {first.forecast_orders} orders in {first.month}, after {first.orders_a_year_before} a year before. {backtest.verdict}",
-- ]
-- definition = """
-- The top categories by valid orders in the regular period (ties: category), each of the three months after it;
-- orders_a_year_before: valid orders 12 months earlier. Empty if R < 12. Monthly valid orders with the category.
-- Candidates: trend; mean of the last three months. Both are refitted without the last three regular months and
-- tested on them. The trend if its MAPE as shown is lower, else the mean; backtest_mape: the lower. Sort: the top
-- order, month.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "category", "regular period", "correlation, trend, MAPE"]
-- [parameters]
-- top = { default = 10, minimum = 1 }
-- [made_of]
-- method = ["orders"]
-- forecast_orders = ["orders"]
-- backtest_mape = ["orders"]

-- answer:
WITH counted AS (
    SELECT l.category, m.t, count(*) AS orders
    FROM (SELECT DISTINCT category, month_no, order_id FROM lines WHERE is_valid) AS l JOIN months AS m USING (month_no)
    WHERE m.t IS NOT NULL
    GROUP BY l.category, m.t
), largest AS (
    SELECT category, row_number() OVER (ORDER BY sum(orders) DESC, category COLLATE "C") AS rank
    FROM counted
    GROUP BY category
    ORDER BY rank
    LIMIT :top
), series AS (
    SELECT a.category, a.rank, m.t, coalesce(c.orders, 0) AS y
    FROM largest AS a CROSS JOIN months AS m LEFT JOIN counted AS c ON c.category = a.category AND c.t = m.t
    WHERE m.t IS NOT NULL
), fitted AS (  -- to the first n months: a straight line through (middle, mean), and the mean of the last three
    SELECT
        category,
        rank,
        t + 1 AS n,
        t / 2.0 AS middle,
        sum(y) OVER w / (t + 1) AS mean,
        12 * (sum(t * y) OVER w - t / 2.0 * sum(y) OVER w) / nullif((t + 1.0) * t * (t + 2), 0) AS slope,
        avg(y) OVER (w ROWS 2 PRECEDING) AS recent
    FROM series
    WINDOW w AS (PARTITION BY category ORDER BY t)
), tested AS (
    SELECT
        f.category,
        round(round(
            avg(100.0 * abs(s.y - greatest(0, f.mean + f.slope * (s.t - f.middle))) / nullif(s.y, 0)), 10
        ), 2) AS trend_mape,
        round(round(avg(100.0 * abs(s.y - f.recent) / nullif(s.y, 0)), 10), 2) AS mean_mape
    FROM period AS p
    JOIN fitted AS f ON f.n = p.r - 3
    JOIN series AS s ON s.category = f.category AND s.t >= p.r - 3
    GROUP BY f.category
), chosen AS (
    SELECT category, coalesce(trend_mape < mean_mape, false) AS by_trend, least(trend_mape, mean_mape) AS backtest_mape
    FROM tested
)
SELECT
    f.category,
    to_char(make_date((p.last_no + ahead) / 12, (p.last_no + ahead) % 12 + 1, 1), 'YYYY-MM') AS month,
    CASE WHEN c.by_trend THEN 'trend' ELSE 'mean of the last three months' END AS method,
    round(round(
        CASE WHEN c.by_trend THEN greatest(0, f.mean + f.slope * (p.r - 1 + ahead - f.middle)) ELSE f.recent END, 10
    ), 2) AS forecast_orders,
    s.y::int AS orders_a_year_before,
    c.backtest_mape
FROM period AS p
JOIN fitted AS f ON f.n = p.r
JOIN chosen AS c USING (category)
CROSS JOIN generate_series(1, 3) AS ahead
JOIN series AS s ON s.category = f.category AND s.t = p.r - 1 + ahead - 12
WHERE p.r >= 12
ORDER BY f.rank, ahead

-- rows:
WITH sold AS (
    SELECT DISTINCT l.category, l.order_id, m.t
    FROM lines AS l JOIN months AS m USING (month_no)
    WHERE l.is_valid AND m.t IS NOT NULL
)
SELECT
    s.category,
    to_char(make_date((p.last_no + ahead) / 12, (p.last_no + ahead) % 12 + 1, 1), 'YYYY-MM') AS month,
    measure,
    'sales.fact_order' AS "table",
    s.order_id::text AS key,
    1 AS part
FROM sold AS s
CROSS JOIN period AS p
CROSS JOIN generate_series(1, 3) AS ahead
CROSS JOIN LATERAL (
    VALUES ('orders', true), ('orders_a_year_before', s.t = p.r - 1 + ahead - 12)
) AS figure (measure, counts)
WHERE counts

-- backtest:
WITH counted AS (
    SELECT l.category, m.t, count(*) AS orders
    FROM (SELECT DISTINCT category, month_no, order_id FROM lines WHERE is_valid) AS l JOIN months AS m USING (month_no)
    WHERE m.t IS NOT NULL
    GROUP BY l.category, m.t
), largest AS (
    SELECT category
    FROM counted
    GROUP BY category
    ORDER BY sum(orders) DESC, category COLLATE "C"
    LIMIT :top
), series AS (
    SELECT a.category, m.t, coalesce(c.orders, 0) AS y
    FROM largest AS a CROSS JOIN months AS m LEFT JOIN counted AS c ON c.category = a.category AND c.t = m.t
    WHERE m.t IS NOT NULL
), fitted AS (
    SELECT
        category,
        t + 1 AS n,
        t / 2.0 AS middle,
        sum(y) OVER w / (t + 1) AS mean,
        12 * (sum(t * y) OVER w - t / 2.0 * sum(y) OVER w) / nullif((t + 1.0) * t * (t + 2), 0) AS slope,
        avg(y) OVER (w ROWS 2 PRECEDING) AS recent
    FROM series
    WINDOW w AS (PARTITION BY category ORDER BY t)
), tested AS (  -- on the three months before each origin
    SELECT
        f.category,
        f.n + 3 AS origin,
        avg(100.0 * abs(s.y - greatest(0, f.mean + f.slope * (s.t - f.middle))) / nullif(s.y, 0)) AS trend_mape,
        avg(100.0 * abs(s.y - f.recent) / nullif(s.y, 0)) AS mean_mape
    FROM fitted AS f JOIN series AS s ON s.category = f.category AND s.t BETWEEN f.n AND f.n + 2
    GROUP BY f.category, f.n
), forecast AS (
    SELECT
        s.t,
        s.y,
        CASE WHEN round(round(c.trend_mape, 10), 2) < round(round(c.mean_mape, 10), 2)
            THEN greatest(0, f.mean + f.slope * (s.t - f.middle))
            ELSE f.recent
        END AS model,
        b.y AS naive,
        f.recent AS mean
    FROM period AS p
    JOIN series AS s ON s.t >= greatest(p.r - 6, 12)
    JOIN fitted AS f ON f.category = s.category AND f.n = s.t
    JOIN tested AS c ON c.category = s.category AND c.origin = s.t
    JOIN series AS b ON b.category = s.category AND b.t = s.t - 12
), errors AS (
    SELECT
        count(DISTINCT t)::int AS origins,
        round(round(avg(100.0 * abs(y - model) / nullif(y, 0)), 10), 2) AS mape_model,
        round(round(avg(100.0 * abs(y - naive) / nullif(y, 0)), 10), 2) AS mape_naive,
        round(round(avg(100.0 * abs(y - mean) / nullif(y, 0)), 10), 2) AS mape_mean
    FROM forecast
)
SELECT
    'trend or mean of the last three months, whichever did better before' AS method,
    origins,
    mape_model,
    mape_naive,
    mape_mean,
    NULL::numeric AS coverage,
    CASE WHEN mape_model IS NULL THEN 'There are too few months to test the forecast on.'
        WHEN mape_model <= least(mape_naive, mape_mean)
            THEN 'The choice did at least as well as repeating last year''s months or the mean alone.'
        WHEN mape_mean <= mape_naive THEN 'A plain mean of the last three months did better.'
        ELSE 'Repeating last year''s months did better.'
    END AS verdict
FROM errors
