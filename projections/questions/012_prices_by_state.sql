-- number = 12
-- group = "Pricing & Economics"
-- title = "How do prices paid vary across states?"
-- columns = "state* region* lines# avg_price median_price price_index mix_adjusted_index"
-- key = ["state"]
-- chart = { kind = "map", x = "state", y = ["mix_adjusted_index"] }
-- finding = [
--   "Customers in {top(lines).state}, who buy most, pay {top(lines).avg_price} for a line, and would pay {top(lines).mix_adjusted_index} where the country pays 100 for the same categories; {first.state} pays most, {first.avg_price} over {first.lines} [line|lines].",
-- ]
-- definition = """
-- Delivered lines by state. price_index = 100 x mean price / national mean; mix_adjusted_index = 100 x sum of
-- prices / sum over the same lines of the national mean price of their category. Sort: -avg_price, state.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "state, region, city of an order", "category"]
-- [made_of]
-- region = []
-- avg_price = ["price", "lines"]
-- median_price = ["price"]
-- price_index = ["price", "lines"]
-- mix_adjusted_index = ["price", "lines"]

-- answer:
WITH sold AS (
    SELECT
        state,
        region,
        count(*) AS n,
        sum(price) AS price,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY price) AS median_price
    FROM lines
    WHERE is_delivered
    GROUP BY state, region
), mixed AS (
    SELECT state, category, count(*) AS n, sum(price) AS price
    FROM lines
    WHERE is_delivered
    GROUP BY state, category
), at_national_price AS (
    SELECT state, sum(n * national_price) AS price
    FROM (
        SELECT
            state,
            n,
            sum(price) OVER (PARTITION BY category) / sum(n) OVER (PARTITION BY category) AS national_price
        FROM mixed
    ) AS priced
    GROUP BY state
)
SELECT
    state,
    region,
    n::int AS lines,
    round(s.price / n, 2) AS avg_price,
    round(median_price, 2) AS median_price,
    round(100 * s.price * sum(n) OVER () / nullif(n * sum(s.price) OVER (), 0), 2) AS price_index,
    round(round(100 * s.price / nullif(a.price, 0), 10), 2) AS mix_adjusted_index
FROM sold AS s JOIN at_national_price AS a USING (state)
ORDER BY avg_price DESC, state COLLATE "C"

-- rows:
SELECT state, measure, 'sales.fact_order_item' AS "table", order_id || '/' || item_no AS key, part
FROM lines
CROSS JOIN LATERAL (VALUES ('lines', 1), ('price', price)) AS figure (measure, part)
WHERE is_delivered AND part <> 0
