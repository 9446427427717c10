-- number = 77
-- group = "Campaign Planning"
-- title = "Where do lower prices go with more sales?"
-- columns = "category* products# lines# reduced_lines# reduced_pct avg_cut_pct monthly_lines_full monthly_lines_reduced uplift_pct advice*"
-- key = ["category"]
-- chart = { kind = "bar", x = "category", y = ["uplift_pct"] }
-- finding = [
--   "In months with lower prices a product of {top(uplift_pct).category} sells {top(uplift_pct).monthly_lines_reduced} lines instead of {top(uplift_pct).monthly_lines_full} (a change of {top(uplift_pct).uplift_pct}), the best of the categories; least good is {low(uplift_pct).category} ({low(uplift_pct).uplift_pct}).",
-- ]
-- definition = """
-- Valid lines of products with min_product_lines of them, by category (min_lines). Reduced: at most 90 % of the
-- product's highest price there; reduced_pct of lines; avg_cut_pct: mean of 100 x (1 - price / highest) of the
-- reduced. A product-month with lines is reduced if one is, else full; monthly_lines: lines per such month;
-- uplift_pct: change from full to reduced, unrounded. advice: no evidence (null), promote (>= 20), hold price (<= 0),
-- else test. Sort: -uplift_pct, category.
-- """
-- caveat = "No promotions in the data; lower prices of a product stand for them."
-- terms = ["delivered, lost, valid", "category"]
-- [parameters]
-- min_product_lines = { default = 3, minimum = 0 }
-- min_lines = { default = 50, minimum = 0 }
-- [made_of]
-- reduced_pct = ["reduced_lines", "lines"]
-- avg_cut_pct = ["cut_pct", "reduced_lines"]
-- monthly_lines_full = ["full_month_lines", "full_months"]
-- monthly_lines_reduced = ["reduced_month_lines", "reduced_months"]
-- uplift_pct = ["full_month_lines", "full_months", "reduced_month_lines", "reduced_months"]
-- advice = ["full_month_lines", "full_months", "reduced_month_lines", "reduced_months"]

-- answer:
WITH sold AS (
    SELECT
        l.category,
        l.product_id,
        l.month_no,
        l.price <= 0.9 * p.max_price AS is_reduced,
        100.0 * (1 - l.price / nullif(p.max_price, 0)) AS cut_pct
    FROM lines AS l JOIN product_performance AS p USING (product_id)
    WHERE l.is_valid AND p.valid >= :min_product_lines
), of_lines AS (
    SELECT
        category,
        count(DISTINCT product_id) AS products,
        count(*) AS lines,
        count(*) FILTER (WHERE is_reduced) AS reduced_lines,
        avg(cut_pct) FILTER (WHERE is_reduced) AS avg_cut_pct
    FROM sold
    GROUP BY category
    HAVING count(*) >= :min_lines
), product_month AS (
    SELECT category, count(*) AS lines, bool_or(is_reduced) AS is_reduced
    FROM sold
    GROUP BY category, product_id, month_no
), of_months AS (
    SELECT
        category,
        sum(lines) FILTER (WHERE NOT is_reduced) AS full_lines,
        nullif(count(*) FILTER (WHERE NOT is_reduced), 0) AS full_months,
        sum(lines) FILTER (WHERE is_reduced) AS reduced_lines,
        nullif(count(*) FILTER (WHERE is_reduced), 0) AS reduced_months
    FROM product_month
    GROUP BY category
), figures AS (
    SELECT
        l.category,
        l.products::int AS products,
        l.lines::int AS lines,
        l.reduced_lines::int AS reduced_lines,
        round(100.0 * l.reduced_lines / nullif(l.lines, 0), 2) AS reduced_pct,
        round(round(l.avg_cut_pct, 10), 2) AS avg_cut_pct,
        round(1.0 * m.full_lines / m.full_months, 2) AS monthly_lines_full,
        round(1.0 * m.reduced_lines / m.reduced_months, 2) AS monthly_lines_reduced,
        round(100.0 * m.reduced_lines * m.full_months / (m.reduced_months * m.full_lines) - 100, 2) AS uplift_pct
    FROM of_lines AS l JOIN of_months AS m USING (category)
)
SELECT
    *,
    CASE WHEN uplift_pct IS NULL THEN 'no evidence'
        WHEN uplift_pct >= 20 THEN 'promote'
        WHEN uplift_pct <= 0 THEN 'hold price'
        ELSE 'test'
    END AS advice
FROM figures
ORDER BY uplift_pct DESC NULLS LAST, category COLLATE "C"

-- rows:
WITH sold AS (
    SELECT
        l.category,
        l.product_id,
        l.order_id || '/' || l.item_no AS line,
        l.price <= 0.9 * p.max_price AS is_reduced,
        bool_or(l.price <= 0.9 * p.max_price) OVER w AS in_reduced_month,
        row_number() OVER (w ORDER BY l.placed_at, l.order_id, l.item_no) AS line_of_month,
        row_number() OVER (PARTITION BY l.product_id) AS line_of_product,
        100.0 * (1 - l.price / nullif(p.max_price, 0)) AS cut_pct
    FROM lines AS l JOIN product_performance AS p USING (product_id)
    WHERE l.is_valid AND p.valid >= :min_product_lines
    WINDOW w AS (PARTITION BY l.product_id, l.month_no)
)
SELECT category, measure, "table", key, part
FROM sold
CROSS JOIN LATERAL (
    VALUES
        ('products', 'marketplace.dim_product', product_id::text, (line_of_product = 1)::int),
        ('lines', 'sales.fact_order_item', line, 1),
        ('reduced_lines', 'sales.fact_order_item', line, is_reduced::int),
        ('cut_pct', 'sales.fact_order_item', line, CASE WHEN is_reduced THEN cut_pct END),
        ('full_month_lines', 'sales.fact_order_item', line, (NOT in_reduced_month)::int),
        ('reduced_month_lines', 'sales.fact_order_item', line, in_reduced_month::int),
        -- a month of a product is counted where its first line is
        ('full_months', 'sales.fact_order_item', line, (NOT in_reduced_month AND line_of_month = 1)::int),
        ('reduced_months', 'sales.fact_order_item', line, (in_reduced_month AND line_of_month = 1)::int)
) AS figure (measure, "table", key, part)
WHERE part <> 0
