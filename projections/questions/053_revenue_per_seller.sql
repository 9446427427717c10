-- number = 53
-- group = "Seller Metrics"
-- title = "What does a seller earn on average, and is it rising?"
-- columns = "month* sellers# revenue revenue_per_seller change_pct revenue_per_seller_3m"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["revenue_per_seller", "revenue_per_seller_3m"] }
-- finding = [
--   "In {last(revenue_per_seller).month}, a seller earns {last(revenue_per_seller).revenue_per_seller} on average; the best month was {top(revenue_per_seller).month} with {top(revenue_per_seller).revenue_per_seller}.",
--   "No known seller has delivered anything so far.",
-- ]
-- definition = """
-- Delivered lines, all months. change_pct of revenue_per_seller, unrounded, null if either month has none;
-- revenue_per_seller_3m = revenue / sum of monthly sellers, the month and the two before, null in the first two.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "dates, months", "seller"]
-- [made_of]
-- revenue_per_seller = ["revenue", "sellers"]
-- change_pct = ["revenue", "sellers"]
-- revenue_per_seller_3m = ["revenue", "sellers"]
-- [beyond]
-- change_pct = "the month before"
-- revenue_per_seller_3m = "the two months before"

-- answer:
WITH sold AS (
    SELECT month_no, count(DISTINCT seller_id) AS sellers, sum(total) AS revenue
    FROM lines
    WHERE is_delivered AND seller_id IS NOT NULL
    GROUP BY month_no
), by_month AS (
    SELECT month_no, month, coalesce(sellers, 0) AS sellers, coalesce(revenue, 0) AS revenue
    FROM months LEFT JOIN sold USING (month_no)
), compared AS (
    SELECT *, lag(sellers) OVER w AS sellers_before, lag(revenue) OVER w AS revenue_before
    FROM by_month
    WINDOW w AS (ORDER BY month_no)
)
SELECT
    month,
    sellers::int AS sellers,
    round(revenue, 2) AS revenue,
    round(revenue / nullif(sellers, 0), 2) AS revenue_per_seller,
    round(
        100 * (revenue * sellers_before - revenue_before * sellers) / nullif(revenue_before * nullif(sellers, 0), 0), 2
    ) AS change_pct,
    CASE WHEN row_number() OVER three > 2
        THEN round(sum(revenue) OVER three / nullif(sum(sellers) OVER three, 0), 2)
    END AS revenue_per_seller_3m
FROM compared
WINDOW three AS (ORDER BY month_no ROWS 2 PRECEDING)
ORDER BY month_no

-- rows:
SELECT month, 'sellers' AS measure, 'marketplace.dim_seller' AS "table", seller_id::text AS key, 1::numeric AS part
FROM lines
WHERE is_delivered AND seller_id IS NOT NULL
GROUP BY month, seller_id
UNION ALL
SELECT month, 'revenue', 'sales.fact_order_item', order_id || '/' || item_no, total
FROM lines
WHERE is_delivered AND total <> 0 AND seller_id IS NOT NULL
