-- A product by its SKU; where it has none, by its number in the shop, or when it was deleted there, by its name.
SELECT
    min(line) AS line,
    id(
        'product',
        coalesce(nullif(item_sku, 'unknown_product'), '#' || nullif(item_product_id, '0'), item_name)
    ) AS product_id,
    arg_min(length(item_name), line) AS product_name_lenght
FROM export
GROUP BY coalesce(nullif(item_sku, 'unknown_product'), '#' || nullif(item_product_id, '0'), item_name)
