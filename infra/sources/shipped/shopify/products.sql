-- A product by its SKU, or where it has none, by its name, which ends in that of the variant.
SELECT
    min(line) AS line,
    id('product', coalesce(nullif(trim("Lineitem sku"), ''), "Lineitem name")) AS product_id,
    arg_min(length("Lineitem name"), line) AS product_name_lenght
FROM export
GROUP BY coalesce(nullif(trim("Lineitem sku"), ''), "Lineitem name")
