-- number = 7
-- group = "Financial Performance"
-- title = "How does revenue break down by category?"
-- columns = "category* orders# lines# revenue revenue_share_pct cumulative_pct"
-- key = ["category"]
-- chart = { kind = "bar", x = "category", y = ["revenue"] }
-- finding = [
--   "Of {rows} [category|categories], {first.category} brings most: {first.revenue} from {first.orders} [order|orders], {first.revenue_share_pct} of all revenue.",
-- ]
-- definition = """
-- Delivered lines by category. Sort: -revenue, category.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "category"]
-- [made_of]
-- revenue_share_pct = ["revenue"]
-- cumulative_pct = ["revenue"]
-- [beyond]
-- revenue_share_pct = "all other rows"
-- cumulative_pct = "all other rows"

-- answer:
WITH by_category AS (
    SELECT category, count(DISTINCT order_id) AS orders, count(*) AS lines, sum(total) AS revenue
    FROM lines
    WHERE is_delivered
    GROUP BY category
)
SELECT
    category,
    c.orders::int AS orders,
    c.lines::int AS lines,
    round(revenue, 2) AS revenue,
    round(100 * revenue / nullif(sum(revenue) OVER (), 0), 2) AS revenue_share_pct,
    round(100 * sum(revenue) OVER sorted / nullif(sum(revenue) OVER (), 0), 2) AS cumulative_pct
FROM by_category AS c
WINDOW sorted AS (ORDER BY revenue DESC, category COLLATE "C")
ORDER BY revenue DESC, category COLLATE "C"

-- rows:
SELECT DISTINCT
    category, 'orders' AS measure, 'sales.fact_order' AS "table", order_id::text AS key, 1.0 AS part
FROM lines
WHERE is_delivered
UNION ALL
SELECT category, measure, 'sales.fact_order_item', order_id || '/' || item_no, part
FROM lines
CROSS JOIN LATERAL (VALUES ('lines', 1), ('revenue', total)) AS figure (measure, part)
WHERE is_delivered AND part <> 0
