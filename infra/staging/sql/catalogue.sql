-- Products, sellers, categories and areas of buckets $first to $last, as documents like those of persons.sql.
SELECT bucket, 2 AS kind, product_id AS family, to_json({
    'key': product_id, 'line': line,
    'product': <products>
})::VARCHAR AS document
FROM work_product WHERE bucket BETWEEN $first AND $last
UNION ALL
SELECT bucket, 3, seller_id, to_json({
    'key': seller_id, 'line': line, 'region': region, 'seller': <sellers>
})::VARCHAR
FROM work_seller WHERE bucket BETWEEN $first AND $last
UNION ALL
SELECT bucket, 4, family, to_json({
    'key': family, 'name': name, 'line': line, 'english': english, 'product_line': product_line
})::VARCHAR
FROM work_category WHERE bucket BETWEEN $first AND $last
UNION ALL
SELECT
    bucket, 5, family,
    '{"key":"' || family || '","zip_prefix":"' || zip_prefix
    || '","lines":[' || string_agg(line, ',') || '],"samples":[' || string_agg(<geolocation>::VARCHAR, ',') || ']}'
FROM work_sample
WHERE bucket BETWEEN $first AND $last
GROUP BY bucket, family, zip_prefix
