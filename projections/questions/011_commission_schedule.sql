-- number = 11
-- group = "Pricing & Economics"
-- title = "How effective is a commission schedule across categories?"
-- columns = "category* lines# merchandise avg_price commission take_rate_pct"
-- key = ["category"]
-- chart = { kind = "bar", x = "category", y = ["take_rate_pct"] }
-- finding = [
--   "The assumed schedule would bring {all.commission}, {all.take_rate_pct} of merchandise; it takes most of {top(take_rate_pct).category} ({top(take_rate_pct).take_rate_pct}, lines of {top(take_rate_pct).avg_price}) and least of {low(take_rate_pct).category} ({low(take_rate_pct).take_rate_pct}, lines of {low(take_rate_pct).avg_price}).",
--   "The assumed schedule would bring {all.commission}, {all.take_rate_pct} of merchandise.",
-- ]
-- definition = """
-- Delivered lines by category, and all. merchandise: sum of prices; take_rate_pct = commission / merchandise.
-- Sort: all, -take_rate_pct, category.
-- """
-- caveat = "No real commissions in the data."
-- terms = ["delivered, lost, valid", "commission", "category"]
-- [parameters]
-- commission_pct = { default = 10.0, minimum = 0.0 }
-- fee_per_line = { default = 5.00, minimum = 0.0 }
-- min_lines = { default = 20, minimum = 0 }
-- [made_of]
-- avg_price = ["merchandise", "lines"]
-- commission = ["merchandise", "lines"]
-- take_rate_pct = ["merchandise", "lines"]

-- answer:
WITH sold AS (
    SELECT category, count(*) AS lines, coalesce(sum(price), 0) AS merchandise
    FROM lines
    WHERE is_delivered
    GROUP BY GROUPING SETS ((), (category))
), charged AS (
    SELECT *, merchandise * :commission_pct / 100.0 + s.lines * :fee_per_line AS commission
    FROM sold AS s
)
SELECT
    coalesce(category, 'all') AS category,
    c.lines::int AS lines,
    round(merchandise, 2) AS merchandise,
    round(merchandise / nullif(c.lines, 0), 2) AS avg_price,
    round(commission, 2) AS commission,
    round(100 * commission / nullif(merchandise, 0), 2) AS take_rate_pct
FROM charged AS c
WHERE c.category IS NULL OR c.lines >= :min_lines
ORDER BY c.category IS NOT NULL, take_rate_pct DESC NULLS LAST, c.category COLLATE "C"

-- rows:
SELECT of_row.category, measure, 'sales.fact_order_item' AS "table", order_id || '/' || item_no AS key, part
FROM lines AS l
CROSS JOIN LATERAL (VALUES ('all'), (l.category)) AS of_row (category)
CROSS JOIN LATERAL (VALUES ('lines', 1), ('merchandise', price)) AS figure (measure, part)
WHERE is_delivered AND part <> 0
