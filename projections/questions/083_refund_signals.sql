-- number = 83
-- group = "Order Quality"
-- title = "How many orders point to a refund or a dispute?"
-- columns = "signal* orders# orders_pct paid_amount paid_amount_pct"
-- key = ["signal"]
-- chart = { kind = "bar", x = "signal", y = ["orders"] }
-- finding = [
--   "{is(any signal).orders} [order|orders], {is(any signal).orders_pct}, [points|point] to a refund or a dispute, and [carries|carry] {is(any signal).paid_amount_pct} of what was paid.",
--   "{is(any signal).orders} [order points|orders point] to a refund or a dispute.",
-- ]
-- definition = """
-- Signals: 'lost after payment approval' (lost, approved_at known); 'paid more than ordered' (with lines, paid -
-- value > 1.00); 'delivered, review asks for refund' and 'delivered, review says not received' (delivered, a negative
-- review has a stem of 'refund or exchange' or 'not received', question 33); 'any signal'. Percentages of all orders
-- and of all paid.
-- """
-- caveat = "No refunds or disputes in the data: proxies."
-- terms = ["delivered, lost, valid", "value, paid", "review"]
-- [made_of]
-- orders_pct = ["orders", "all_orders"]
-- paid_amount_pct = ["paid_amount", "all_paid"]

-- answer:
WITH listed (place, signal) AS (
    VALUES
        (1, 'lost after payment approval'),
        (2, 'paid more than ordered'),
        (3, 'delivered, review asks for refund'),
        (4, 'delivered, review says not received'),
        (5, 'any signal')
), complaint AS (
    SELECT
        order_id,
        bool_or('refund or exchange' = ANY (themes)) AS asks_refund,
        bool_or('not received' = ANY (themes)) AS not_received
    FROM reviews
    WHERE is_delivered AND themes IS NOT NULL
    GROUP BY order_id
), shown AS (
    SELECT o.order_id, o.paid, s.place
    FROM orders AS o
    LEFT JOIN complaint AS c USING (order_id)
    CROSS JOIN LATERAL (
        SELECT o.is_lost AND o.approved_at IS NOT NULL, o.paid - o.value > 1, c.asks_refund, c.not_received
    ) AS found (lost, more, asks_refund, not_received)
    CROSS JOIN LATERAL (
        VALUES
            (1, found.lost),
            (2, found.more),
            (3, found.asks_refund),
            (4, found.not_received),
            (5, found.lost OR found.more OR found.asks_refund OR found.not_received)
    ) AS s (place, is_shown)
    WHERE s.is_shown
), counted AS (
    SELECT place, count(*) AS orders, sum(paid) AS paid FROM shown GROUP BY place
), totals AS (
    SELECT count(*) AS orders, sum(paid) AS paid FROM orders
)
SELECT
    signal,
    coalesce(c.orders, 0)::int AS orders,
    coalesce(round(100.0 * c.orders / nullif(t.orders, 0), 2), 0.00) AS orders_pct,
    coalesce(c.paid, 0.00) AS paid_amount,
    CASE WHEN c.orders > 0 THEN round(100.0 * c.paid / nullif(t.paid, 0), 2) ELSE 0.00 END AS paid_amount_pct
FROM listed
LEFT JOIN counted AS c USING (place)
CROSS JOIN totals AS t
ORDER BY place

-- rows:
WITH listed (place, signal) AS (
    VALUES
        (1, 'lost after payment approval'),
        (2, 'paid more than ordered'),
        (3, 'delivered, review asks for refund'),
        (4, 'delivered, review says not received'),
        (5, 'any signal')
), complaint AS (
    SELECT
        order_id,
        bool_or('refund or exchange' = ANY (themes)) AS asks_refund,
        bool_or('not received' = ANY (themes)) AS not_received
    FROM reviews
    WHERE is_delivered AND themes IS NOT NULL
    GROUP BY order_id
), shown AS (
    SELECT o.order_id, l.signal
    FROM orders AS o
    LEFT JOIN complaint AS c USING (order_id)
    CROSS JOIN LATERAL (
        SELECT o.is_lost AND o.approved_at IS NOT NULL, o.paid - o.value > 1, c.asks_refund, c.not_received
    ) AS found (lost, more, asks_refund, not_received)
    CROSS JOIN LATERAL (
        VALUES
            (1, found.lost),
            (2, found.more),
            (3, found.asks_refund),
            (4, found.not_received),
            (5, found.lost OR found.more OR found.asks_refund OR found.not_received)
    ) AS s (place, is_shown)
    JOIN listed AS l USING (place)
    WHERE s.is_shown
)
SELECT signal, 'orders' AS measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM shown
UNION ALL
SELECT signal, 'paid_amount', 'sales.fact_payment', p.order_id || '/' || p.payment_no, p.amount
FROM shown JOIN payments AS p USING (order_id)
WHERE p.amount <> 0
UNION ALL
SELECT signal, 'all_orders', 'sales.fact_order', order_id::text, 1
FROM listed CROSS JOIN orders
UNION ALL
SELECT signal, 'all_paid', 'sales.fact_payment', order_id || '/' || payment_no, amount
FROM listed CROSS JOIN payments
WHERE amount <> 0
