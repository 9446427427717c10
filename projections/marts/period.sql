-- comment = "One row: the regular period, and the dates on which answers are evaluated"
-- key = ["r"]
-- [columns]
-- r = "how many regular months there are"
-- first_no = "the first of them; null without orders"
-- last_no = "the last of them"
-- close_date = "last day of the regular period"
-- evaluation_date = "latest date on which an order was placed"
-- has_halves = "whether there are 18 regular months, so that the last six can be compared with those a year before"

-- query:
SELECT
    count(t)::int AS r,
    min(month_no) FILTER (WHERE t IS NOT NULL) AS first_no,
    max(month_no) FILTER (WHERE t IS NOT NULL) AS last_no,
    max(last_day) FILTER (WHERE t IS NOT NULL) AS close_date,
    (SELECT max(placed_on) FROM orders) AS evaluation_date,
    count(t) >= 18 AS has_halves
FROM months
