-- number = 92
-- group = "Demand Forecasting"
-- title = "Which products see a sudden rise in demand?"
-- columns = "product_id* category* lines_last_30_days# lines_prior_90_days# expected spike_score signal*"
-- key = ["product_id"]
-- chart = { kind = "table" }
-- finding = [
--   "A product of {first.category} rises most: {first.lines_last_30_days} [line|lines] in the last 30 days, where {first.expected} were expected.",
-- ]
-- definition = """
-- Products with min_lines valid lines aged 0-29; prior: those aged 30-119. signal: strong from 3.00, watch from 2.00,
-- else normal. expected = max(prior, 1) / 3; spike_score = (last 30 days - expected) / sqrt(expected), unrounded.
-- Sort: -spike_score, -lines_last_30_days, product_id.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "close date, age, evaluation date", "category"]
-- [parameters]
-- min_lines = { default = 3, minimum = 0 }
-- limit = { default = 20, minimum = 1 }
-- [made_of]
-- category = []
-- expected = ["lines_prior_90_days"]
-- spike_score = ["lines_last_30_days", "lines_prior_90_days"]
-- signal = ["lines_last_30_days", "lines_prior_90_days"]

-- answer:
WITH sold AS (
    SELECT
        product_id,
        category,
        count(*) FILTER (WHERE close_date - placed_on < 30) AS recent,
        count(*) FILTER (WHERE close_date - placed_on >= 30) AS prior
    FROM lines CROSS JOIN period
    WHERE is_valid AND close_date - placed_on BETWEEN 0 AND 119
    GROUP BY product_id, category
), figures AS (
    SELECT
        product_id,
        category,
        recent::int AS lines_last_30_days,
        prior::int AS lines_prior_90_days,
        round(greatest(prior, 1) / 3.0, 2) AS expected,
        -- (recent - expected) / sqrt(expected), three times over and under the line
        round((3.0 * recent - greatest(prior, 1)) / sqrt(3.0 * greatest(prior, 1)), 2) AS spike_score
    FROM sold
    WHERE recent >= :min_lines
)
SELECT
    *,
    CASE WHEN spike_score >= 3 THEN 'strong' WHEN spike_score >= 2 THEN 'watch' ELSE 'normal' END AS signal
FROM figures
ORDER BY spike_score DESC, lines_last_30_days DESC, product_id
LIMIT :limit

-- rows:
SELECT
    product_id,
    CASE WHEN close_date - placed_on < 30 THEN 'lines_last_30_days' ELSE 'lines_prior_90_days' END AS measure,
    'sales.fact_order_item' AS "table",
    order_id || '/' || item_no AS key,
    1 AS part
FROM lines CROSS JOIN period
WHERE is_valid AND close_date - placed_on BETWEEN 0 AND 119
