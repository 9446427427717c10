-- number = 79
-- group = "Campaign Planning"
-- title = "How sensitive to price is demand in each category?"
-- columns = "category* months# lines# avg_price elasticity fit_r2.4 sensitivity*"
-- key = ["category"]
-- chart = { kind = "bar", x = "category", y = ["elasticity"] }
-- finding = [
--   "The lowest elasticity is that of {low(elasticity).category}, {low(elasticity).elasticity} ({low(elasticity).sensitivity}): by so many per cent its share of lines changes where its price is 1 % higher; price explains {low(elasticity).fit_r2} of the variation.",
--   "The lowest elasticity is that of {low(elasticity).category}, {low(elasticity).elasticity} ({low(elasticity).sensitivity}).",
-- ]
-- definition = """
-- Valid lines of regular months by category, with lines in min_months of them. sensitivity: elastic (elasticity <=
-- -1), inelastic (< 0), else not price-led. elasticity: least-squares slope of ln(share of the month's valid lines)
-- on ln(mean line price in BRL) over the category's months with lines (left out if undefined); fit_r2 its R squared.
-- Sort: elasticity, category.
-- """
-- caveat = "Mix effects are not removed."
-- terms = ["delivered, lost, valid", "category", "regular period"]
-- [parameters]
-- min_lines = { default = 100, minimum = 0 }
-- min_months = { default = 12, minimum = 0 }
-- [made_of]
-- months = ["lines"]
-- avg_price = ["price", "lines"]
-- elasticity = ["price", "lines", "month_lines"]
-- fit_r2 = ["price", "lines", "month_lines"]
-- sensitivity = ["price", "lines", "month_lines"]

-- answer:
WITH sold AS (
    SELECT category, month_no, count(*) AS lines, sum(l.price) AS price
    FROM lines AS l JOIN months AS m USING (month_no)
    WHERE l.is_valid AND m.t IS NOT NULL
    GROUP BY category, month_no
), points AS (
    SELECT
        *,
        ln((1.0 * lines / sum(lines) OVER (PARTITION BY month_no))::float8) AS share,
        ln(nullif(price / lines, 0)::float8) AS cost
    FROM sold
), fitted AS (
    SELECT
        category,
        count(*)::int AS months,
        sum(lines)::int AS lines,
        round(sum(price) / sum(lines), 2) AS avg_price,
        round((CASE WHEN min(cost) < max(cost) THEN regr_slope(share, cost) END)::numeric, 2) AS elasticity,
        round((CASE WHEN min(share) < max(share) THEN regr_r2(share, cost) END)::numeric, 4) AS fit_r2
    FROM points
    GROUP BY category
)
SELECT
    *,
    CASE WHEN elasticity <= -1 THEN 'elastic'
        WHEN elasticity < 0 THEN 'inelastic'
        ELSE 'not price-led'
    END AS sensitivity
FROM fitted
WHERE lines >= :min_lines AND months >= :min_months AND elasticity IS NOT NULL
ORDER BY elasticity, category COLLATE "C"

-- rows:
WITH sold AS (
    SELECT l.category, month_no, l.order_id || '/' || l.item_no AS line, l.price
    FROM lines AS l JOIN months AS m USING (month_no)
    WHERE l.is_valid AND m.t IS NOT NULL
), listed AS (
    SELECT DISTINCT category, month_no
    FROM sold JOIN (
        SELECT category
        FROM sold
        GROUP BY category
        HAVING count(*) >= :min_lines AND count(DISTINCT month_no) >= :min_months
    ) AS large USING (category)
)
SELECT category, measure, 'sales.fact_order_item' AS "table", line AS key, part
FROM sold
CROSS JOIN LATERAL (VALUES ('lines', 1), ('price', price)) AS figure (measure, part)
WHERE part <> 0
UNION ALL
SELECT l.category, 'month_lines', 'sales.fact_order_item', s.line, 1
FROM listed AS l JOIN sold AS s USING (month_no)
