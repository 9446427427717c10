-- min_orders=30
WITH zero_or_undefined AS (
    SELECT DISTINCT order_id FROM q.payments WHERE amount = 0 OR method = 'not_defined'
), checked AS (
    SELECT state, region, approved_at IS NULL AS is_not_approved,
        item_count > 0 AND abs(paid - value) > 1 AS is_mismatched,
        order_id IN (FROM zero_or_undefined) AS is_zero_or_undefined
    FROM q.orders
)
SELECT state, any_value(region) AS region, CAST(count(*) AS INTEGER) AS orders,
    CAST(count(*) FILTER (is_not_approved) AS INTEGER) AS not_approved,
    CAST(count(*) FILTER (is_mismatched) AS INTEGER) AS mismatched,
    CAST(count(*) FILTER (is_zero_or_undefined) AS INTEGER) AS zero_or_undefined,
    CAST(count(*) FILTER (is_not_approved OR is_mismatched OR is_zero_or_undefined) AS INTEGER) AS with_issue,
    q_pct(count(*) FILTER (is_not_approved OR is_mismatched OR is_zero_or_undefined), count(*)) AS issue_pct
FROM checked
GROUP BY state
HAVING count(*) >= $min_orders
ORDER BY issue_pct DESC, orders DESC, state;
