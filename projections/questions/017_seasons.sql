-- number = 17
-- group = "Revenue Optimization"
-- title = "Which calendar months are strong or weak?"
-- columns = "calendar_month# month_name* years_seen# avg_revenue seasonal_index"
-- key = ["calendar_month"]
-- chart = { kind = "line", x = "month_name", y = ["seasonal_index"] }
-- finding = [
--   "{top(seasonal_index).month_name} is the strongest month, at {top(seasonal_index).seasonal_index} where the mean is 100, and {low(seasonal_index).month_name} the weakest, at {low(seasonal_index).seasonal_index}; {top(years_seen).years_seen} [year at most is|years at most are] seen, so take it with care.",
--   "There are too few months to tell seasons; the highest mean revenue is that of {top(avg_revenue).month_name}, {top(avg_revenue).avg_revenue}.",
-- ]
-- definition = """
-- The twelve calendar months, English names, delivered revenue of the regular months. years_seen: how many there
-- are. seasonal_index: revenue / trend value of each regular month (left out where that is not positive), averaged
-- by calendar month, scaled so that the mean over the calendar months seen is 100; null if R < 12.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "dates, months", "regular period", "correlation, trend, MAPE"]
-- [made_of]
-- month_name = []
-- years_seen = ["orders"]
-- avg_revenue = ["revenue"]
-- seasonal_index = ["revenue"]

-- answer:
WITH sold AS (
    SELECT month_no, sum(value) AS revenue FROM orders WHERE is_delivered GROUP BY month_no
), regular AS (
    SELECT calendar_month, t, coalesce(revenue, 0) AS y
    FROM months LEFT JOIN sold USING (month_no)
    WHERE t IS NOT NULL
), fit AS (  -- the trend is (a + b t) / c, in whole numbers and cents
    SELECT
        sum(y) * sum(t * t) - sum(t * y) * sum(t) AS a,
        count(*) * sum(t * y) - sum(t) * sum(y) AS b,
        count(*) * sum(t * t) - sum(t) * sum(t) AS c
    FROM regular
    HAVING count(*) >= 12
), by_calendar_month AS (
    SELECT
        calendar_month,
        count(*) AS years_seen,
        avg(y) AS avg_revenue,
        avg(y * c / (a + b * t)) FILTER (WHERE a + b * t > 0) AS ratio
    FROM regular LEFT JOIN fit ON true
    GROUP BY calendar_month
)
SELECT
    calendar_month,
    to_char(make_date(2000, calendar_month, 1), 'FMMonth') AS month_name,
    coalesce(years_seen, 0)::int AS years_seen,
    round(avg_revenue, 2) AS avg_revenue,
    round(round(100 * ratio / nullif(avg(ratio) OVER (), 0), 10), 2) AS seasonal_index
FROM generate_series(1, 12) AS calendar (calendar_month) LEFT JOIN by_calendar_month USING (calendar_month)
ORDER BY calendar_month

-- rows:
SELECT calendar_month, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders AS o
JOIN months AS m USING (month_no)
CROSS JOIN LATERAL (
    VALUES ('orders', 1), ('revenue', CASE WHEN is_delivered THEN value END)
) AS figure (measure, part)
WHERE t IS NOT NULL AND part <> 0
