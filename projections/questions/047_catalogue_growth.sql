-- number = 47
-- group = "Catalog Health"
-- title = "How does the catalogue grow?"
-- columns = "month* new_products# catalogue_size# products_sold# sold_pct"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["catalogue_size", "products_sold"] }
-- finding = [
--   "By {last.month} the catalogue has {last.catalogue_size} [product that was|products that were] ordered at least once; most new ones came in {top(new_products).month}: {top(new_products).new_products}. The widest choice was sold in {top(products_sold).month}: {top(products_sold).products_sold} [product|products], {top(products_sold).sold_pct} of the catalogue then.",
--   "No product has been ordered so far.",
-- ]
-- definition = """
-- All months. New: products first ordered (any status) in the month; catalogue_size: new ones so far; products_sold:
-- in valid lines of the month, sold_pct of the catalogue.
-- """
-- caveat = "No listing dates: a product counts from its first order."
-- terms = ["delivered, lost, valid", "dates, months"]
-- [made_of]
-- sold_pct = ["products_sold", "catalogue_size"]

-- answer:
WITH first_ordered AS (
    SELECT
        (extract(year FROM first_ordered) * 12 + extract(month FROM first_ordered) - 1)::int AS month_no,
        count(*) AS new_products
    FROM product_performance
    WHERE first_ordered IS NOT NULL
    GROUP BY 1
), sold AS (
    SELECT month_no, count(DISTINCT product_id) AS products_sold FROM lines WHERE is_valid GROUP BY month_no
), by_month AS (
    SELECT
        month_no,
        month,
        coalesce(new_products, 0) AS new_products,
        coalesce(sum(new_products) OVER (ORDER BY month_no), 0) AS catalogue_size,
        coalesce(products_sold, 0) AS products_sold
    FROM months LEFT JOIN first_ordered USING (month_no) LEFT JOIN sold USING (month_no)
)
SELECT
    month,
    new_products::int AS new_products,
    catalogue_size::int AS catalogue_size,
    products_sold::int AS products_sold,
    round(100.0 * products_sold / nullif(catalogue_size, 0), 2) AS sold_pct
FROM by_month
ORDER BY month_no

-- rows:
WITH found AS (
    SELECT month, 'new_products' AS measure, product_id
    FROM product_performance JOIN months ON first_ordered BETWEEN first_day AND last_day
    UNION ALL
    SELECT month, 'catalogue_size', product_id
    FROM product_performance JOIN months ON first_ordered <= last_day
    UNION ALL
    SELECT DISTINCT month, 'products_sold', product_id FROM lines WHERE is_valid
)
SELECT month, measure, 'marketplace.dim_product' AS "table", product_id::text AS key, 1 AS part
FROM found
