-- How much work each bucket holds, in events more or less: to divide it into units. Where texts are long, each 300 bytes
-- of them count as an event: a unit is read and held in memory.
CREATE OR REPLACE TABLE work_size AS
SELECT bucket, greatest(sum(events), sum(bytes) // 300)::BIGINT AS events
FROM (
    SELECT bucket, count(*) * 9 AS events, 0 AS bytes FROM work_order GROUP BY bucket
    UNION ALL SELECT bucket, count(*) * 2, sum(strlen(city) + strlen(state)) FROM work_customer GROUP BY bucket
    UNION ALL SELECT bucket, count(*), sum(coalesce(strlen(title), 0) + coalesce(strlen(comment), 0))
    FROM work_review GROUP BY bucket
    UNION ALL SELECT bucket, count(*), sum(strlen(method)) FROM work_payment GROUP BY bucket
    UNION ALL SELECT bucket, count(*), 0 FROM work_product GROUP BY bucket
    UNION ALL SELECT bucket, count(*), 0 FROM work_seller GROUP BY bucket
    UNION ALL SELECT bucket, count(*), 0 FROM work_category GROUP BY bucket
    UNION ALL SELECT bucket_of(key), count(*), 0 FROM areas WHERE change <> 'unchanged' GROUP BY ALL
)
GROUP BY bucket
ORDER BY bucket;
