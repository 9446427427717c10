-- number = 48
-- group = "Catalog Health"
-- title = "Where do most sellers compete?"
-- columns = "category* sellers# products# lines# value_per_seller top_seller_share_pct hhi"
-- key = ["category"]
-- chart = { kind = "bar", x = "category", y = ["sellers"] }
-- finding = [
--   "Most sellers compete in {first.category}: {first.sellers} with {first.products} [product|products]; the largest has {first.top_seller_share_pct} of the value. Among the {rows} largest, {top(hhi).category} is the most concentrated, where one seller has {top(hhi).top_seller_share_pct}.",
--   "No known seller has sold anything so far.",
-- ]
-- definition = """
-- Valid lines by category. value: price + freight; top_seller_share_pct: the largest seller's in the category; hhi =
-- 10,000 x sum of squared seller shares. Sort: -sellers, -products, category.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid", "category", "seller"]
-- [parameters]
-- limit = { default = 20, minimum = 1 }
-- [made_of]
-- value_per_seller = ["value", "sellers"]
-- top_seller_share_pct = ["value"]
-- hhi = ["value"]

-- answer:
WITH by_seller AS (
    SELECT category, seller_id, count(*) AS lines, sum(total) AS value
    FROM lines
    WHERE is_valid AND seller_id IS NOT NULL
    GROUP BY category, seller_id
), offered AS (
    SELECT category, count(DISTINCT product_id) AS products
    FROM lines
    WHERE is_valid AND seller_id IS NOT NULL
    GROUP BY category
)
SELECT
    category,
    count(*)::int AS sellers,
    min(products)::int AS products,
    sum(lines)::int AS lines,
    round(sum(value) / count(*), 2) AS value_per_seller,
    round(100 * max(value) / nullif(sum(value), 0), 2) AS top_seller_share_pct,
    round(10000 * sum(value * value) / nullif(sum(value) * sum(value), 0), 2) AS hhi
FROM by_seller JOIN offered USING (category)
GROUP BY category
ORDER BY sellers DESC, products DESC, category COLLATE "C"
LIMIT :limit

-- rows:
SELECT
    category,
    'sellers' AS measure,
    'marketplace.dim_seller' AS "table",
    seller_id::text AS key,
    1 AS part
FROM lines
WHERE is_valid AND seller_id IS NOT NULL
GROUP BY category, seller_id
UNION ALL
SELECT category, 'products', 'marketplace.dim_product', product_id::text, 1
FROM lines
WHERE is_valid AND seller_id IS NOT NULL
GROUP BY category, product_id
UNION ALL
SELECT category, measure, 'sales.fact_order_item', order_id || '/' || item_no, part
FROM lines
CROSS JOIN LATERAL (VALUES ('lines', 1), ('value', total)) AS figure (measure, part)
WHERE is_valid AND seller_id IS NOT NULL AND part <> 0
