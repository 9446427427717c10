-- number = 8
-- group = "Financial Performance"
-- title = "Which categories earn most, and how are they trending?"
-- columns = "rank# category* revenue recent_revenue year_ago_revenue change_pct monthly_slope"
-- key = ["rank"]
-- chart = { kind = "bar", x = "category", y = ["revenue"] }
-- finding = [
--   "The category {first.category} earns most, {first.revenue}; of the leading ones, {top(change_pct).category} went up most in the last six months, by {top(change_pct).change_pct} on the year before, and {low(change_pct).category} did worst, with {low(change_pct).change_pct}.",
--   "The category {first.category} earns most: {first.revenue}.",
-- ]
-- definition = """
-- Categories ranked by revenue (ties: category). change_pct between the halves (all null without halves);
-- monthly_slope: slope of the trend of revenue, BRL a month. Sort: rank.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "dates, months", "regular period", "category", "correlation, trend, MAPE"]
-- [parameters]
-- top = { default = 10, minimum = 1 }
-- [made_of]
-- category = []
-- recent_revenue = ["revenue_recent"]
-- year_ago_revenue = ["revenue_year_ago"]
-- change_pct = ["revenue_recent", "revenue_year_ago"]
-- monthly_slope = ["revenue_regular"]

-- answer:
WITH span AS (
    SELECT has_halves, r, sum(t) AS sum_t, sum(t * t) AS sum_tt
    FROM period LEFT JOIN months ON t IS NOT NULL
    GROUP BY has_halves, r
), by_category AS (
    SELECT
        category,
        sum(total) AS revenue,
        coalesce(sum(total) FILTER (WHERE half = 'recent'), 0) AS recent,
        coalesce(sum(total) FILTER (WHERE half = 'year-ago'), 0) AS year_ago,
        coalesce(sum(total) FILTER (WHERE t IS NOT NULL), 0) AS sum_y,
        coalesce(sum(t * total), 0) AS sum_ty
    FROM lines JOIN months USING (month_no)
    WHERE is_delivered
    GROUP BY category
), ranked AS (
    SELECT *, row_number() OVER (ORDER BY revenue DESC, category COLLATE "C") AS rank
    FROM by_category CROSS JOIN span
)
SELECT
    rank::int AS rank,
    category,
    round(revenue, 2) AS revenue,
    CASE WHEN has_halves THEN round(recent, 2) END AS recent_revenue,
    CASE WHEN has_halves THEN round(year_ago, 2) END AS year_ago_revenue,
    CASE WHEN has_halves THEN round(100 * (recent - year_ago) / nullif(year_ago, 0), 2) END AS change_pct,
    round((r * sum_ty - sum_t * sum_y) / nullif(r * sum_tt - sum_t * sum_t, 0), 2) AS monthly_slope
FROM ranked
WHERE rank <= :top
ORDER BY ranked.rank

-- rows:
WITH ranked AS (
    SELECT category, (row_number() OVER (ORDER BY sum(total) DESC, category COLLATE "C"))::int AS rank
    FROM lines
    WHERE is_delivered
    GROUP BY category
)
SELECT rank, measure, 'sales.fact_order_item' AS "table", order_id || '/' || item_no AS key, total AS part
FROM lines
JOIN ranked USING (category)
JOIN months USING (month_no)
CROSS JOIN LATERAL (
    VALUES
        ('revenue', true),
        ('revenue_recent', half = 'recent'),
        ('revenue_year_ago', half = 'year-ago'),
        ('revenue_regular', t IS NOT NULL)
) AS figure (measure, is_part)
WHERE is_delivered AND is_part AND total <> 0
