WITH complaints AS (
    SELECT order_id,
        bool_or(regexp_matches(words, 'devol|estorn|reembols|cancel|dinheiro|troca')) AS asks_for_refund,
        bool_or(regexp_matches(words,
            'nao receb|nao cheg|nao foi entreg|nao entreg|nunca cheg|nunca receb|ainda nao')) AS says_not_received
    FROM q.reviews
    WHERE is_delivered AND score <= 2
    GROUP BY order_id
), signs AS (
    SELECT order_id, paid, [
        CASE WHEN is_lost AND approved_at IS NOT NULL THEN 'lost after payment approval' END,
        CASE WHEN item_count > 0 AND paid - value > 1 THEN 'paid more than ordered' END,
        CASE WHEN asks_for_refund THEN 'delivered, review asks for refund' END,
        CASE WHEN says_not_received THEN 'delivered, review says not received' END] AS signals
    FROM q.orders LEFT JOIN complaints USING (order_id)
), signals AS (
    SELECT order_id, paid, unnest(signals) AS signal FROM signs
    UNION ALL
    SELECT order_id, paid, 'any signal' FROM signs WHERE len(list_filter(signals, lambda s: s IS NOT NULL)) > 0
), counted AS (
    SELECT signal, count(*) AS orders, sum(paid) AS paid FROM signals WHERE signal IS NOT NULL GROUP BY signal
), totals AS (
    SELECT count(*) AS orders, sum(paid) AS paid FROM q.orders
)
SELECT signal, CAST(coalesce(counted.orders, 0) AS INTEGER) AS orders,
    CASE WHEN counted.orders IS NULL THEN CAST(0 AS DECIMAL(14, 2)) ELSE q_pct(counted.orders, totals.orders) END
        AS orders_pct,
    CAST(coalesce(counted.paid, 0) AS DECIMAL(14, 2)) AS paid_amount,
    CASE WHEN counted.orders IS NULL THEN CAST(0 AS DECIMAL(14, 2)) ELSE q_pct(counted.paid, totals.paid) END
        AS paid_amount_pct
FROM (VALUES (1, 'lost after payment approval'), (2, 'paid more than ordered'),
    (3, 'delivered, review asks for refund'), (4, 'delivered, review says not received'), (5, 'any signal'))
    AS listed (place, signal)
LEFT JOIN counted USING (signal)
CROSS JOIN totals
ORDER BY place;
