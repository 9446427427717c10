-- number = 42
-- group = "Product Performance"
-- title = "Which categories grow, and which decline?"
-- columns = "category* lines# year_ago_gmv recent_gmv change_pct share_change_pp trend*"
-- key = ["category"]
-- chart = { kind = "bar", x = "category", y = ["change_pct"] }
-- finding = [
--   "GMV of {top(change_pct).category} changed most for the better on the year: by {top(change_pct).change_pct}, from {top(change_pct).year_ago_gmv} to {top(change_pct).recent_gmv}; that of {low(change_pct).category} most for the worse: by {low(change_pct).change_pct}.",
--   "No category can be compared with the year before: that takes 18 regular months.",
-- ]
-- definition = """
-- Valid lines in the two halves by category. share_change_pp: share of all GMV of the recent half less that of the
-- year-ago half. trend: new (no year-ago GMV), growing (change_pct > 10), declining (< -10), else stable. Sort:
-- -change_pct, category.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "regular period", "category"]
-- [parameters]
-- min_lines = { default = 30, minimum = 0 }
-- [made_of]
-- change_pct = ["year_ago_gmv", "recent_gmv"]
-- share_change_pp = ["year_ago_gmv", "recent_gmv"]
-- trend = ["year_ago_gmv", "recent_gmv"]

-- answer:
WITH by_category AS (
    SELECT
        category,
        count(*) AS lines,
        coalesce(sum(price) FILTER (WHERE half = 'year-ago'), 0) AS year_ago,
        coalesce(sum(price) FILTER (WHERE half = 'recent'), 0) AS recent
    FROM lines JOIN months USING (month_no)
    WHERE is_valid AND half IS NOT NULL
    GROUP BY category
), shown AS (
    SELECT
        category,
        lines,
        year_ago,
        recent,
        round(100 * (recent - year_ago) / nullif(year_ago, 0), 2) AS change_pct,
        round(100 * recent / nullif(sum(recent) OVER (), 0) - 100 * year_ago / nullif(sum(year_ago) OVER (), 0), 2)
            AS share_change_pp
    FROM by_category
)
SELECT
    category,
    lines::int AS lines,
    round(year_ago, 2) AS year_ago_gmv,
    round(recent, 2) AS recent_gmv,
    change_pct,
    share_change_pp,
    CASE WHEN year_ago = 0 THEN 'new'
        WHEN change_pct > 10 THEN 'growing'
        WHEN change_pct < -10 THEN 'declining'
        ELSE 'stable'
    END AS trend
FROM shown
WHERE lines >= :min_lines
ORDER BY change_pct DESC NULLS LAST, category COLLATE "C"

-- rows:
SELECT category, measure, 'sales.fact_order_item' AS "table", order_id || '/' || item_no AS key, part
FROM lines
JOIN months USING (month_no)
CROSS JOIN LATERAL (
    VALUES
        ('lines', 1),
        ('year_ago_gmv', CASE WHEN half = 'year-ago' THEN price END),
        ('recent_gmv', CASE WHEN half = 'recent' THEN price END)
) AS figure (measure, part)
WHERE is_valid AND half IS NOT NULL AND part <> 0
