-- number = 75
-- group = "Channel & Attribution"
-- title = "How do first orders differ from later ones?"
-- columns = "order_kind* orders# avg_order_value lines_per_order freight_pct avg_installments credit_card_pct weekend_pct avg_score"
-- key = ["order_kind"]
-- chart = { kind = "table" }
-- finding = [
--   "A later order is worth {is(later order).avg_order_value} in the mean, the only order of a customer {is(only order).avg_order_value}; they score {is(later order).avg_score} and {is(only order).avg_score}.",
--   "A customer's only order is worth {is(only order).avg_order_value} in the mean.",
-- ]
-- definition = """
-- Valid orders: 'only order' of a customer, 'first of several', 'later order'. lines_per_order: of those with lines;
-- avg_installments: of those paid; credit_card_pct: method; weekend_pct: placed on Saturday or Sunday.
-- """
-- caveat = ""
-- terms = ["customer, first order", "delivered, lost, valid", "value, paid", "method, installments of an order", "review"]
-- [made_of]
-- avg_order_value = ["value", "valued_orders"]
-- lines_per_order = ["lines", "valued_orders"]
-- freight_pct = ["freight", "value"]
-- avg_installments = ["installments", "paid_orders"]
-- credit_card_pct = ["by_credit_card", "orders"]
-- weekend_pct = ["on_weekend", "orders"]
-- avg_score = ["score", "reviews"]

-- answer:
WITH kind (place, order_kind) AS (
    VALUES (1, 'only order'), (2, 'first of several'), (3, 'later order')
), placed AS (
    SELECT
        o.order_id,
        o.value,
        o.item_count,
        o.freight,
        o.max_installments,
        o.method,
        o.placed_on,
        CASE WHEN o.order_no > 1 THEN 3 WHEN second.order_id IS NOT NULL THEN 2 ELSE 1 END AS place
    FROM orders AS o LEFT JOIN orders AS second ON second.customer_id = o.customer_id AND second.order_no = 2
    WHERE o.is_valid
), of_orders AS (
    SELECT
        place,
        count(*) AS orders,
        sum(value) AS value,
        count(value) AS valued_orders,
        sum(item_count) AS lines,
        sum(freight) AS freight,
        avg(max_installments) AS installments,
        count(*) FILTER (WHERE method = 'credit_card') AS by_credit_card,
        count(*) FILTER (WHERE extract(isodow FROM placed_on) >= 6) AS on_weekend
    FROM placed
    GROUP BY place
), of_reviews AS (
    SELECT place, avg(score) AS score FROM placed JOIN reviews USING (order_id) GROUP BY place
)
SELECT
    order_kind,
    coalesce(orders, 0)::int AS orders,
    round(value / nullif(valued_orders, 0), 2) AS avg_order_value,
    round(1.0 * lines / nullif(valued_orders, 0), 2) AS lines_per_order,
    round(100.0 * freight / nullif(value, 0), 2) AS freight_pct,
    round(installments, 2) AS avg_installments,
    round(100.0 * by_credit_card / nullif(orders, 0), 2) AS credit_card_pct,
    round(100.0 * on_weekend / nullif(orders, 0), 2) AS weekend_pct,
    round(score, 2) AS avg_score
FROM kind
LEFT JOIN of_orders USING (place)
LEFT JOIN of_reviews USING (place)
ORDER BY place

-- rows:
WITH placed AS (
    SELECT
        o.order_id,
        o.value,
        o.item_count,
        o.freight,
        o.max_installments,
        o.method,
        o.placed_on,
        CASE WHEN o.order_no > 1 THEN 'later order'
            WHEN second.order_id IS NOT NULL THEN 'first of several'
            ELSE 'only order'
        END AS order_kind
    FROM orders AS o LEFT JOIN orders AS second ON second.customer_id = o.customer_id AND second.order_no = 2
    WHERE o.is_valid
)
SELECT order_kind, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM placed
CROSS JOIN LATERAL (
    VALUES
        ('orders', 1),
        ('value', value),
        ('valued_orders', (value IS NOT NULL)::int),
        ('lines', item_count),
        ('freight', freight),
        ('installments', max_installments),
        ('paid_orders', (max_installments IS NOT NULL)::int),
        ('by_credit_card', (method = 'credit_card')::int),
        ('on_weekend', (extract(isodow FROM placed_on) >= 6)::int)
) AS figure (measure, part)
WHERE part <> 0
UNION ALL
SELECT order_kind, measure, 'customer.fact_review', review_id || '/' || order_id, part
FROM placed
JOIN reviews AS v USING (order_id)
CROSS JOIN LATERAL (VALUES ('reviews', 1), ('score', v.score)) AS figure (measure, part)
