WITH lost AS (
    SELECT status, paid,
        CASE WHEN status = 'unavailable' AND item_count = 0 THEN 'no lines left'
             WHEN status = 'unavailable' THEN 'lines kept'
             WHEN approved_at IS NULL THEN 'before payment approval'
             WHEN shipped_at IS NULL THEN 'approved, not shipped'
             ELSE 'after shipping' END AS stage
    FROM q.orders
    WHERE is_lost
), rows AS (
    SELECT status, stage, paid FROM lost
    UNION ALL
    SELECT 'all', 'all', paid FROM lost
), stages AS (
    SELECT status, stage, count(*) AS orders, q_mean(paid) AS avg_paid FROM rows GROUP BY ALL
), totals AS (
    SELECT count(*) AS orders, count(*) FILTER (is_lost) AS lost FROM q.orders
)
SELECT status, stage, CAST(coalesce(stages.orders, 0) AS INTEGER) AS orders,
    coalesce(q_pct(stages.orders, lost), CAST(0 AS DECIMAL(14, 2))) AS share_of_lost_pct,
    coalesce(q_pct(stages.orders, totals.orders), CAST(0 AS DECIMAL(14, 2))) AS pct_of_orders,
    avg_paid
FROM (VALUES (0, 'all', 'all'), (1, 'canceled', 'before payment approval'), (2, 'canceled', 'approved, not shipped'),
    (3, 'canceled', 'after shipping'), (4, 'unavailable', 'no lines left'), (5, 'unavailable', 'lines kept'))
    AS listed (place, status, stage)
LEFT JOIN stages USING (status, stage)
CROSS JOIN totals
ORDER BY place;
