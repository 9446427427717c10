-- The reference lines of the families after ($after_bucket, $after_kind, $after_family) up to and with ($bucket, $kind,
-- $family), by table, as COPY text with the load's number before each line.
SELECT destination, string_agg($batch_seq || chr(9) || line, chr(10)) AS lines
FROM work_reference
WHERE bucket BETWEEN $after_bucket AND $bucket
    AND (bucket, kind, family) > ($after_bucket, $after_kind, $after_family)
    AND (bucket, kind, family) <= ($bucket, $kind, $family)
GROUP BY destination
ORDER BY destination
