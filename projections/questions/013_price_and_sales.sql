-- number = 13
-- group = "Pricing & Economics"
-- title = "Do cheaper products sell more often?"
-- columns = "price_band* products# lines# lines_per_product multi_sale_pct correlation.4"
-- key = ["price_band"]
-- chart = { kind = "bar", x = "price_band", y = ["lines_per_product"] }
-- finding = [
--   "Products sell {all.lines_per_product} lines each; those priced {top(lines_per_product).price_band} sell most, {top(lines_per_product).lines_per_product}, and those priced {low(lines_per_product).price_band} least, {low(lines_per_product).lines_per_product}; price and sales correlate with {all.correlation}.",
--   "Products sell {all.lines_per_product} lines each; those priced {top(lines_per_product).price_band} sell most, {top(lines_per_product).lines_per_product}.",
-- ]
-- definition = """
-- Products with valid lines by price band of their mean line price, and all. multi_sale_pct: products in two or
-- more valid orders; correlation of ln(mean price in BRL) with ln(lines) over products.
-- """
-- caveat = "No visits in the data; units sold stand for conversion."
-- terms = ["delivered, lost, valid", "correlation, trend, MAPE"]
-- [made_of]
-- lines_per_product = ["lines", "products"]
-- multi_sale_pct = ["multi_sale", "products"]
-- correlation = ["gmv", "lines"]

-- answer:
WITH band (place, price_band) AS (
    VALUES
        (-1, 'all'), (0, '0-25'), (1, '25-50'), (2, '50-100'), (3, '100-200'), (4, '200-500'), (5, '500-1000'),
        (6, '1000+')
), sold AS (
    SELECT
        width_bucket(gmv / valid, ARRAY[25.0, 50, 100, 200, 500, 1000]) AS place,
        valid,
        valid_orders,
        ln((nullif(gmv, 0) / valid)::float8) AS log_price,
        ln(valid::float8) AS log_lines
    FROM product_performance
    WHERE valid > 0
), counted AS (
    SELECT
        coalesce(place, -1) AS place,
        count(*) AS products,
        sum(valid) AS lines,
        count(*) FILTER (WHERE valid_orders >= 2) AS multi_sale,
        CASE
            WHEN place IS NULL AND count(log_price) >= 30
                AND min(log_price) < max(log_price)
                AND min(log_lines) FILTER (WHERE log_price IS NOT NULL)
                    < max(log_lines) FILTER (WHERE log_price IS NOT NULL)
            THEN corr(log_price, log_lines)
        END AS correlation
    FROM sold
    GROUP BY GROUPING SETS ((), (place))
)
SELECT
    price_band,
    coalesce(products, 0)::int AS products,
    coalesce(c.lines, 0)::int AS lines,
    round(1.0 * c.lines / nullif(products, 0), 2) AS lines_per_product,
    round(100.0 * multi_sale / nullif(products, 0), 2) AS multi_sale_pct,
    round(correlation::numeric, 4) AS correlation
FROM band LEFT JOIN counted AS c USING (place)
ORDER BY place

-- rows:
WITH band (place, price_band) AS (
    VALUES
        (0, '0-25'), (1, '25-50'), (2, '50-100'), (3, '100-200'), (4, '200-500'), (5, '500-1000'), (6, '1000+')
), sold AS (
    SELECT product_id, valid_orders, b.price_band
    FROM product_performance JOIN band AS b ON place = width_bucket(gmv / valid, ARRAY[25.0, 50, 100, 200, 500, 1000])
    WHERE valid > 0
)
SELECT of_row.price_band, measure, 'marketplace.dim_product' AS "table", product_id::text AS key, 1.0 AS part
FROM sold AS s
CROSS JOIN LATERAL (VALUES ('all'), (s.price_band)) AS of_row (price_band)
CROSS JOIN LATERAL (VALUES ('products', true), ('multi_sale', valid_orders >= 2)) AS figure (measure, is_part)
WHERE is_part
UNION ALL
SELECT of_row.price_band, measure, 'sales.fact_order_item', order_id || '/' || item_no, part
FROM lines JOIN sold AS s USING (product_id)
CROSS JOIN LATERAL (VALUES ('all'), (s.price_band)) AS of_row (price_band)
CROSS JOIN LATERAL (VALUES ('lines', 1), ('gmv', price)) AS figure (measure, part)
WHERE is_valid AND part <> 0
