-- The vendors of articles, of whom the export has the names.
SELECT
    min(line) AS line,
    id('seller', "Vendor") AS seller_id,
    'unknown' AS seller_zip_code_prefix,
    'unknown' AS seller_city,
    'unknown' AS seller_state
FROM export
WHERE "Vendor" IS NOT NULL
GROUP BY "Vendor"
