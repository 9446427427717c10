-- number = 46
-- group = "Catalog Health"
-- title = "How many products have not sold lately?"
-- columns = "window_days# products# sold# unsold# unsold_pct"
-- key = ["window_days"]
-- chart = { kind = "bar", x = "window_days", y = ["unsold_pct"] }
-- finding = [
--   "{is(90).unsold} of {is(90).products} [product|products], {is(90).unsold_pct}, [has|have] not sold in the last 90 days, and {is(365).unsold_pct} not within a year.",
--   "The catalogue has no products yet.",
-- ]
-- definition = """
-- Windows of 30, 60, 90, 180, 365 days up to the close date (age 0 to below that): all products of the catalogue;
-- sold: in a valid line then.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "close date, age, evaluation date"]
-- [made_of]
-- unsold_pct = ["unsold", "products"]

-- answer:
WITH sale AS (  -- the latest one up to the close date
    SELECT product_id, min(close_date - placed_on) AS age
    FROM lines CROSS JOIN period
    WHERE is_valid AND placed_on <= close_date
    GROUP BY product_id
), catalogue AS (
    SELECT product_id, age FROM product_performance LEFT JOIN sale USING (product_id) WHERE is_listed
), counted AS (
    SELECT window_days, count(product_id) AS products, count(product_id) FILTER (WHERE age < window_days) AS sold
    FROM (VALUES (30), (60), (90), (180), (365)) AS windows (window_days) LEFT JOIN catalogue ON true
    GROUP BY window_days
)
SELECT
    window_days,
    products::int AS products,
    sold::int AS sold,
    (products - sold)::int AS unsold,
    round(100.0 * (products - sold) / nullif(products, 0), 2) AS unsold_pct
FROM counted
ORDER BY window_days

-- rows:
WITH sale AS (
    SELECT product_id, min(close_date - placed_on) AS age
    FROM lines CROSS JOIN period
    WHERE is_valid AND placed_on <= close_date
    GROUP BY product_id
)
SELECT window_days, measure, 'marketplace.dim_product' AS "table", product_id::text AS key, part
FROM product_performance
LEFT JOIN sale USING (product_id)
CROSS JOIN (VALUES (30), (60), (90), (180), (365)) AS windows (window_days)
CROSS JOIN LATERAL (
    VALUES
        ('products', 1),
        ('sold', (age < window_days)::int),
        ('unsold', ((age < window_days) IS NOT TRUE)::int)
) AS figure (measure, part)
WHERE is_listed AND part <> 0
