-- number = 1
-- group = "Growth & Scale Metrics"
-- title = "How does revenue grow by month and by year?"
-- columns = "month* delivered_orders# revenue mom_pct yoy_pct"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["revenue"] }
-- finding = [
--   "Revenue peaked at {top(revenue).revenue} in {top(revenue).month}, from {top(revenue).delivered_orders} delivered [order|orders], a change of {top(revenue).yoy_pct} on the same month a year before.",
--   "Revenue peaked at {top(revenue).revenue} in {top(revenue).month}, from {top(revenue).delivered_orders} delivered [order|orders].",
-- ]
-- definition = """
-- Delivered orders, all months. mom_pct: change to the month before; yoy_pct: to the same month a year before.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid", "revenue, GMV", "dates, months"]
-- [made_of]
-- mom_pct = ["revenue"]
-- yoy_pct = ["revenue"]
-- [beyond]
-- mom_pct = "the month before"
-- yoy_pct = "the same month a year before"

-- answer:
WITH counted AS (
    SELECT month_no, count(*) AS delivered_orders, sum(value) AS revenue
    FROM orders
    WHERE is_delivered
    GROUP BY month_no
), by_month AS (
    SELECT
        month_no,
        month,
        coalesce(delivered_orders, 0) AS delivered_orders,
        coalesce(revenue, 0) AS revenue
    FROM months LEFT JOIN counted USING (month_no)
)
SELECT
    month,
    delivered_orders::int AS delivered_orders,
    round(revenue, 2) AS revenue,
    round(100 * (revenue - lag(revenue) OVER w) / nullif(lag(revenue) OVER w, 0), 2) AS mom_pct,
    round(100 * (revenue - lag(revenue, 12) OVER w) / nullif(lag(revenue, 12) OVER w, 0), 2) AS yoy_pct
FROM by_month
WINDOW w AS (ORDER BY month_no)
ORDER BY month_no

-- rows:
SELECT month, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders
CROSS JOIN LATERAL (VALUES ('delivered_orders', 1), ('revenue', value)) AS figure (measure, part)
WHERE is_delivered AND part <> 0
