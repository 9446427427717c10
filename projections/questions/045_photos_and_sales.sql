-- number = 45
-- group = "Product Performance"
-- title = "Do more product photos sell more?"
-- columns = "photos* products# lines# lines_per_product avg_price correlation.4"
-- key = ["photos"]
-- chart = { kind = "bar", x = "photos", y = ["lines_per_product"] }
-- finding = [
--   "Products with one photo sell {is(1).lines_per_product} times on average, those with six and more {is(6+).lines_per_product}; over {all.products} [product|products] the correlation of photos with sales is {all.correlation}.",
--   "The {all.products} [product that was|products that were] sold went into {all.lines_per_product} lines each.",
--   "No product has been sold so far.",
-- ]
-- definition = """
-- Products with valid lines by number of photos: all, 1, 2, 3, 4, 5, 6+, unknown (0 or not given). avg_price per line;
-- correlation of photos with lines over products with photos given.
-- """
-- caveat = "No visits in the data; units sold stand for conversion."
-- terms = ["delivered, lost, valid", "correlation, trend, MAPE"]
-- [made_of]
-- lines_per_product = ["lines", "products"]
-- avg_price = ["price", "lines"]
-- correlation = ["photos_given", "lines"]

-- answer:
WITH band (place, photos, least, most) AS (
    VALUES (0, 'all', NULL, NULL), (1, '1', 1, 1), (2, '2', 2, 2), (3, '3', 3, 3), (4, '4', 4, 4), (5, '5', 5, 5),
        (6, '6+', 6, 2147483647), (7, 'unknown', -2147483648, 0)
), sold AS (
    SELECT photos, CASE WHEN photos > 0 THEN photos END AS given, valid, gmv FROM product_performance WHERE valid > 0
)
SELECT
    b.photos,
    count(valid)::int AS products,
    coalesce(sum(valid), 0)::int AS lines,
    round(1.0 * sum(valid) / nullif(count(valid), 0), 2) AS lines_per_product,
    round(sum(gmv) / nullif(sum(valid), 0), 2) AS avg_price,
    round((CASE WHEN place = 0 AND count(given) >= 30 THEN corr(given, valid) END)::numeric, 4) AS correlation
FROM band AS b LEFT JOIN sold AS s ON place = 0 OR coalesce(s.photos, 0) BETWEEN least AND most
GROUP BY place, b.photos
ORDER BY place

-- rows:
WITH band (photos, least, most) AS (
    VALUES ('all', NULL, NULL), ('1', 1, 1), ('2', 2, 2), ('3', 3, 3), ('4', 4, 4), ('5', 5, 5), ('6+', 6, 2147483647),
        ('unknown', -2147483648, 0)
), sold AS (
    SELECT b.photos, product_id, greatest(p.photos, 0) AS photos_given
    FROM band AS b JOIN product_performance AS p ON b.photos = 'all' OR coalesce(p.photos, 0) BETWEEN least AND most
    WHERE valid > 0
)
SELECT photos, measure, 'marketplace.dim_product' AS "table", product_id::text AS key, part::numeric AS part
FROM sold
CROSS JOIN LATERAL (VALUES ('products', 1), ('photos_given', photos_given)) AS figure (measure, part)
WHERE part <> 0
UNION ALL
SELECT photos, measure, 'sales.fact_order_item', order_id || '/' || item_no, part
FROM sold
JOIN lines USING (product_id)
CROSS JOIN LATERAL (VALUES ('lines', 1), ('price', price)) AS figure (measure, part)
WHERE is_valid AND part <> 0
