-- number = 5
-- group = "Growth & Scale Metrics"
-- title = "How does order volume grow by year, quarter and month?"
-- columns = "period_type* period* orders# change_pct"
-- key = ["period_type", "period"]
-- chart = { kind = "bar", x = "period", y = ["orders"], series = "period_type" }
-- finding = [
--   "The strongest year is {top(orders).period} with {top(orders).orders} [order|orders]; the latest month, {last.period}, has {last.orders} so far.",
-- ]
-- definition = """
-- All orders by period_type year ('2017'), quarter, month, each gapless from the first order to the last; change
-- to the period before. Sort: period_type (as listed), period.
-- """
-- caveat = ""
-- terms = ["dates, months"]
-- [made_of]
-- change_pct = ["orders"]
-- [beyond]
-- change_pct = "the period before"

-- answer:
WITH period (place, period_type, period, orders) AS (
    SELECT 1, 'year', to_char(year, 'FM0000'), sum(orders) FROM months GROUP BY year
    UNION ALL
    SELECT 2, 'quarter', to_char(year, 'FM0000') || '-Q' || (calendar_month + 2) / 3, sum(orders)
    FROM months
    GROUP BY year, (calendar_month + 2) / 3
    UNION ALL
    SELECT 3, 'month', month, orders FROM months
)
SELECT
    period_type,
    period,
    orders::int AS orders,
    round(100.0 * (orders - lag(orders) OVER w) / nullif(lag(orders) OVER w, 0), 2) AS change_pct
FROM period
WINDOW w AS (PARTITION BY place ORDER BY period COLLATE "C")
ORDER BY place, period COLLATE "C"

-- rows:
SELECT period_type, period, 'orders' AS measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM orders
CROSS JOIN LATERAL (
    VALUES
        ('year', to_char(placed_at, 'YYYY')),
        ('quarter', to_char(placed_at, 'YYYY-"Q"Q')),
        ('month', month)
) AS of_period (period_type, period)
