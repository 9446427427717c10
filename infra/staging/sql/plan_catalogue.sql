-- Products, sellers, categories and areas of a plan (kinds 2 to 5), each in the bucket of its own key. Samples of an area
-- may stand in any order.
CREATE OR REPLACE TABLE work_product AS
SELECT bucket_of(product_id) AS bucket, * FROM products WHERE change <> 'unchanged' ORDER BY bucket, product_id;

CREATE OR REPLACE TABLE work_seller AS
SELECT bucket_of(seller_id) AS bucket, * FROM sellers WHERE change <> 'unchanged' ORDER BY bucket, seller_id;

CREATE OR REPLACE TABLE work_category AS
WITH shown AS (
    SELECT category AS name, min(line) AS product_line
    FROM products
    WHERE change <> 'unchanged' AND category IS NOT NULL
    GROUP BY category
),
translated AS (
    SELECT category AS name, line, english FROM categories WHERE change <> 'unchanged'
),
named AS (
    SELECT coalesce(t.name, s.name) AS name, t.line, t.english, s.product_line
    FROM translated AS t
    FULL JOIN shown AS s ON s.name = t.name
)
SELECT bucket_of(md5(name)::UUID) AS bucket, md5(name)::UUID AS family, * FROM named ORDER BY bucket, family;

CREATE OR REPLACE TABLE work_sample AS
SELECT a.bucket, a.key AS family, g.* EXCLUDE (lines, record)
FROM (SELECT key, zip_prefix, bucket_of(key) AS bucket FROM areas WHERE change <> 'unchanged') AS a
JOIN geolocation AS g ON g.zip_prefix = a.zip_prefix
ORDER BY bucket, family;
