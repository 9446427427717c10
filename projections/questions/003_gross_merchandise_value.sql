-- number = 3
-- group = "Growth & Scale Metrics"
-- title = "Where is our gross merchandise value heading?"
-- columns = "month* orders# gmv mom_pct cumulative_gmv gmv_3m_average"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["gmv", "gmv_3m_average"] }
-- finding = [
--   "Gross merchandise value has added up to {last.cumulative_gmv}; the best month was {top(gmv).month} with {top(gmv).gmv}, and the mean of three months was highest in {top(gmv_3m_average).month}, at {top(gmv_3m_average).gmv_3m_average}.",
--   "Gross merchandise value has added up to {last.cumulative_gmv}; the best month was {top(gmv).month} with {top(gmv).gmv}.",
-- ]
-- definition = """
-- Valid orders with lines, all months. gmv_3m_average: mean of the month and the two before, null in the first
-- two.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "dates, months"]
-- [made_of]
-- mom_pct = ["gmv"]
-- cumulative_gmv = ["gmv"]
-- gmv_3m_average = ["gmv"]
-- [beyond]
-- mom_pct = "the month before"
-- cumulative_gmv = "all months before"
-- gmv_3m_average = "the two months before"

-- answer:
WITH counted AS (
    SELECT month_no, count(*) AS orders, sum(price) AS gmv
    FROM orders
    WHERE is_valid AND item_count > 0
    GROUP BY month_no
), by_month AS (
    SELECT month_no, month, coalesce(c.orders, 0) AS orders, coalesce(gmv, 0) AS gmv
    FROM months LEFT JOIN counted AS c USING (month_no)
)
SELECT
    month,
    orders::int AS orders,
    round(gmv, 2) AS gmv,
    round(100 * (gmv - lag(gmv) OVER w) / nullif(lag(gmv) OVER w, 0), 2) AS mom_pct,
    round(sum(gmv) OVER w, 2) AS cumulative_gmv,
    CASE WHEN row_number() OVER w > 2 THEN round(sum(gmv) OVER three / 3, 2) END AS gmv_3m_average
FROM by_month
WINDOW w AS (ORDER BY month_no), three AS (ORDER BY month_no ROWS 2 PRECEDING)
ORDER BY month_no

-- rows:
SELECT month, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders
CROSS JOIN LATERAL (VALUES ('orders', 1), ('gmv', price)) AS figure (measure, part)
WHERE is_valid AND item_count > 0 AND part <> 0
