-- number = 49
-- group = "Catalog Health"
-- title = "How many products does a seller offer?"
-- columns = "products_per_seller* sellers# sellers_share_pct avg_products median_products# max_products# value_share_pct"
-- key = ["products_per_seller"]
-- chart = { kind = "bar", x = "products_per_seller", y = ["sellers_share_pct", "value_share_pct"] }
-- finding = [
--   "A seller offers {all.avg_products} products on average, half of them {all.median_products} or fewer; the {top(value_share_pct).sellers} with {top(value_share_pct).products_per_seller} bring most of the value, {top(value_share_pct).value_share_pct}.",
--   "No known seller has sold anything so far.",
-- ]
-- definition = """
-- Sellers by number of distinct products in their valid lines: all, 1, 2-5, 6-10, 11-20, 21-50, 51+. value: price +
-- freight of these lines.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid", "seller"]
-- [made_of]
-- sellers_share_pct = ["sellers"]
-- avg_products = ["products", "sellers"]
-- median_products = ["products"]
-- max_products = ["products"]
-- value_share_pct = ["value"]

-- answer:
WITH band (place, products_per_seller, least, most) AS (
    VALUES (0, 'all', 1, 2147483647), (1, '1', 1, 1), (2, '2-5', 2, 5), (3, '6-10', 6, 10), (4, '11-20', 11, 20),
        (5, '21-50', 21, 50), (6, '51+', 51, 2147483647)
), offering AS (
    SELECT products, order_value FROM seller_scorecard WHERE products > 0
), everything AS (
    SELECT nullif(count(*), 0) AS sellers, nullif(sum(order_value), 0) AS value FROM offering
)
SELECT
    products_per_seller,
    count(products)::int AS sellers,
    round(coalesce(100.0 * count(products) / max(e.sellers), 0), 2) AS sellers_share_pct,
    round(1.0 * sum(products) / nullif(count(products), 0), 2) AS avg_products,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY products) AS median_products,
    max(products) AS max_products,
    CASE WHEN count(products) > 0 THEN round(100 * sum(order_value) / max(e.value), 2) ELSE 0.00 END AS value_share_pct
FROM band
LEFT JOIN offering ON products BETWEEN least AND most
CROSS JOIN everything AS e
GROUP BY place, products_per_seller
ORDER BY place

-- rows:
WITH band (products_per_seller, least, most) AS (
    VALUES ('all', 1, 2147483647), ('1', 1, 1), ('2-5', 2, 5), ('6-10', 6, 10), ('11-20', 11, 20), ('21-50', 21, 50),
        ('51+', 51, 2147483647)
), offering AS (
    SELECT products_per_seller, seller_id, products
    FROM band JOIN seller_scorecard ON products BETWEEN least AND most
)
SELECT products_per_seller, measure, 'marketplace.dim_seller' AS "table", seller_id::text AS key, part::numeric AS part
FROM offering
CROSS JOIN LATERAL (VALUES ('sellers', 1), ('products', products)) AS figure (measure, part)
UNION ALL
SELECT products_per_seller, 'value', 'sales.fact_order_item', order_id || '/' || item_no, total
FROM offering JOIN lines USING (seller_id)
WHERE is_valid AND total <> 0
