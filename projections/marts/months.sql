-- comment = "The months from the first order to the last, and which of them are the regular ones"
-- key = ["month_no"]
-- [columns]
-- month_no = "months since year 0"
-- month = "year and month, as in 2017-11"
-- year = "year"
-- calendar_month = "1 for January to 12"
-- first_day = "its first day"
-- last_day = "its last day"
-- orders = "orders placed in it"
-- t = "its place in the regular period, from 0; null outside"
-- half = "recent, of the last six regular months; year-ago, of the same a year before; null else, and with fewer than 18 regular months"

-- query:
WITH counted AS (
    SELECT month_no, count(*) AS orders FROM orders GROUP BY month_no
), every AS (
    SELECT month_no, coalesce(c.orders, 0) AS orders
    FROM (SELECT generate_series(min(month_no), max(month_no)) AS month_no FROM counted) AS span
    LEFT JOIN counted AS c USING (month_no)
), large AS (
    SELECT month_no, month_no - row_number() OVER (ORDER BY month_no) AS run
    FROM every
    WHERE orders * 200 >= (SELECT sum(orders) FROM every)
), regular AS (
    SELECT month_no
    FROM large
    WHERE run = (SELECT run FROM large GROUP BY run ORDER BY count(*) DESC, run DESC LIMIT 1)
), placed AS (
    SELECT e.month_no, e.orders,
        CASE WHEN r.month_no IS NOT NULL THEN e.month_no - min(r.month_no) OVER () END AS t,
        count(r.month_no) OVER () AS length
    FROM every AS e LEFT JOIN regular AS r USING (month_no)
)
SELECT
    month_no,
    to_char(make_date(month_no / 12, month_no % 12 + 1, 1), 'YYYY-MM') AS month,
    month_no / 12 AS year,
    month_no % 12 + 1 AS calendar_month,
    make_date(month_no / 12, month_no % 12 + 1, 1) AS first_day,
    (make_date(month_no / 12, month_no % 12 + 1, 1) + interval '1 month' - interval '1 day')::date AS last_day,
    orders::int AS orders,
    t::int AS t,
    CASE WHEN length >= 18 AND t >= length - 6 THEN 'recent'
        WHEN length >= 18 AND t BETWEEN length - 18 AND length - 13 THEN 'year-ago'
    END AS half
FROM placed
ORDER BY month_no
