-- A product is a variant: by its SKU, or where it has none, by its name, which ends in that of the variant. The export of
-- products, where it is there, has a row for each variant and each further image; what is of all variants stands on the
-- first. An article of an order finds its variant by SKU, or by name; one that has none stands on line 1, the header.
WITH listed AS (
    SELECT
        line,
        coalesce("Handle", "URL handle", "Title") AS page,
        "Title" AS title,
        regexp_replace(
            regexp_replace(coalesce("Body (HTML)", "Description"), '<[^>]+>', '', 'g'), '&(\w+|#\w+);', '.', 'g'
        ) AS text, -- without its tags, each sign that has a name as one
        coalesce(nullif(trim("Type"), ''), nullif(trim(regexp_extract("Product Category", '[^>]+$')), '')) AS category,
        coalesce("Image Src", "Product image URL") AS photo,
        nullif(trim(regexp_replace(trim(coalesce("Variant SKU", "SKU")), '^''', '')), '') AS sku,
        coalesce("Variant Grams", "Weight value (grams)") AS grams,
        coalesce("Variant Price", "Price", "Option1 Value") AS offer,
        CASE
            WHEN "Option1 Value" IS DISTINCT FROM 'Default Title'
            THEN nullif(concat_ws(' / ', "Option1 Value", "Option2 Value", "Option3 Value"), '')
        END AS variant
    FROM products
), pages AS (
    SELECT
        page,
        min(line) AS first_line,
        arg_min(title, line) AS title,
        arg_min(category, line) AS category,
        count(DISTINCT photo) AS photos,
        arg_min(length(regexp_replace(text, '^\s+|\s+$', '', 'g')), line) AS description_length
    FROM listed
    GROUP BY page
), variants AS (
    SELECT
        listed.line,
        sku,
        nullif(concat_ws(' - ', pages.title, variant), '') AS name,
        pages.category,
        photos,
        nullif(description_length, 0) AS description_length,
        -- the shop writes 0 where nobody has weighed
        nullif(coalesce(CAST(CAST(round(amount(grams)) AS HUGEINT) AS VARCHAR), grams), '0') AS weight
    FROM listed
    JOIN pages ON pages.page IS NOT DISTINCT FROM listed.page
    WHERE coalesce(sku, offer) IS NOT NULL OR listed.line = first_line
), offered AS ( -- of several with one SKU the first
    SELECT coalesce(sku, name) AS key, min(line) AS line, arg_min(name, line) AS name
    FROM variants
    GROUP BY coalesce(sku, name)
), named AS (
    SELECT name, min(line) AS line
    FROM variants
    WHERE name IS NOT NULL
    GROUP BY name
), sold AS (
    SELECT
        coalesce(nullif(trim("Lineitem sku"), ''), "Lineitem name") AS key,
        min(line) AS line,
        arg_min("Lineitem name", line) AS name
    FROM export
    GROUP BY coalesce(nullif(trim("Lineitem sku"), ''), "Lineitem name")
), known AS (
    SELECT
        coalesce(sold.key, offered.key) AS key,
        coalesce(sold.name, offered.name) AS name,
        sold.line AS sold_line,
        coalesce(offered.line, named.line) AS listed_line,
        (SELECT count(*) FROM products) > 0 AS is_listed
    FROM sold
    FULL JOIN offered ON offered.key = sold.key
    LEFT JOIN named ON named.name = sold.name
)
SELECT
    CASE WHEN is_listed THEN coalesce(listed_line, 1) ELSE sold_line END AS line,
    CASE WHEN is_listed THEN 'products' ELSE 'export' END AS file,
    id('product', key) AS product_id,
    category AS product_category_name,
    length(known.name) AS product_name_lenght,
    description_length AS product_description_lenght,
    photos AS product_photos_qty,
    weight AS product_weight_g
FROM known
LEFT JOIN variants ON variants.line = listed_line
