-- What would make an event of more bytes than brokers take in a message: too many records of one thing. By file, line,
-- byte (not known), reason and rule, as a file that cannot be read is told of.

SELECT file, line, NULL, 'line ' || line || ' is one of ' || format('{:,}', records) || ' records of ' || thing
    || ', and there may be ' || format('{:,}', most), 'records_well_formed'
FROM (
    SELECT 'order_items' AS file, min(line) AS line, count(*) AS records, 'one order' AS thing, 2000 AS most
    FROM order_items GROUP BY order_id HAVING count(*) > 2000
    UNION ALL
    SELECT 'order_payments', min(line), count(*), 'one order', 2000
    FROM order_payments GROUP BY order_id HAVING count(*) > 2000
    UNION ALL
    SELECT 'geolocation', min(line), count(*), 'one zip prefix', 100000
    FROM geolocation GROUP BY zip_prefix HAVING count(*) > 100000
)
ORDER BY ALL
