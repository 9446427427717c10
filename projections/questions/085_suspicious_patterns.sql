-- number = 85
-- group = "Order Quality"
-- title = "Which order patterns look suspicious?"
-- columns = "pattern* orders# orders_pct customers# paid_amount lost_pct"
-- key = ["pattern"]
-- chart = { kind = "table" }
-- finding = [
--   "Worth a look: {is(any pattern).orders} [order|orders] of {is(any pattern).customers} [customer|customers], {is(any pattern).orders_pct} of all; {is(any pattern).lost_pct} of them are lost.",
--   "{is(any pattern).orders} [order is|orders are] worth a look.",
-- ]
-- definition = """
-- All orders: 'three or more orders in a day' (customer and date); 'five or more units of a product' (its lines in
-- the order); 'five or more vouchers' (payments); 'eight or more installments below R$ 100' (paid); 'payments do not
-- match the total' (with lines, paid and value differ by more than 1.00); 'first order of R$ 2,000 or more' (value;
-- first of any status); 'zero or undefined payment' (amount 0 or method not_defined); 'any pattern'.
-- """
-- caveat = "Worth a look, no proof of fraud."
-- terms = ["value, paid", "customer, first order", "method, installments of an order", "delivered, lost, valid"]
-- [made_of]
-- orders_pct = ["orders", "all_orders"]
-- lost_pct = ["lost", "orders"]

-- answer:
WITH listed (place, pattern) AS (
    VALUES
        (1, 'three or more orders in a day'),
        (2, 'five or more units of a product'),
        (3, 'five or more vouchers'),
        (4, 'eight or more installments below R$ 100'),
        (5, 'payments do not match the total'),
        (6, 'first order of R$ 2,000 or more'),
        (7, 'zero or undefined payment'),
        (8, 'any pattern')
), payment AS (
    SELECT
        order_id,
        count(*) FILTER (WHERE method = 'voucher') AS vouchers,
        bool_or(amount = 0 OR method = 'not_defined') AS is_odd
    FROM payments
    GROUP BY order_id
), unit AS (
    SELECT DISTINCT order_id FROM lines GROUP BY order_id, product_id HAVING count(*) >= 5
), marked AS (
    SELECT
        o.order_id,
        o.customer_id,
        o.paid,
        o.is_lost,
        ARRAY[
            count(*) OVER (PARTITION BY o.customer_id, o.placed_on) >= 3,
            u.order_id IS NOT NULL,
            p.vouchers >= 5,
            o.max_installments >= 8 AND o.paid < 100,
            abs(o.paid - o.value) > 1,
            o.value >= 2000 AND row_number() OVER (PARTITION BY o.customer_id ORDER BY o.placed_at, o.order_id) = 1,
            p.is_odd
        ] AS marks
    FROM orders AS o
    LEFT JOIN payment AS p USING (order_id)
    LEFT JOIN unit AS u USING (order_id)
), shown AS (
    SELECT l.pattern, m.*
    FROM marked AS m JOIN listed AS l ON m.marks[l.place] OR l.place = 8
    WHERE true = ANY (m.marks)
), counted AS (
    SELECT
        pattern,
        count(*) AS orders,
        count(DISTINCT customer_id) AS customers,
        sum(paid) AS paid,
        count(*) FILTER (WHERE is_lost) AS lost
    FROM shown
    GROUP BY pattern
)
SELECT
    pattern,
    coalesce(orders, 0)::int AS orders,
    coalesce(round(100.0 * orders / nullif((SELECT count(*) FROM orders), 0), 2), 0.00) AS orders_pct,
    coalesce(customers, 0)::int AS customers,
    coalesce(paid, 0.00) AS paid_amount,
    round(100.0 * lost / nullif(orders, 0), 2) AS lost_pct
FROM listed LEFT JOIN counted USING (pattern)
ORDER BY place

-- rows:
WITH listed (place, pattern) AS (
    VALUES
        (1, 'three or more orders in a day'),
        (2, 'five or more units of a product'),
        (3, 'five or more vouchers'),
        (4, 'eight or more installments below R$ 100'),
        (5, 'payments do not match the total'),
        (6, 'first order of R$ 2,000 or more'),
        (7, 'zero or undefined payment'),
        (8, 'any pattern')
), payment AS (
    SELECT
        order_id,
        count(*) FILTER (WHERE method = 'voucher') AS vouchers,
        bool_or(amount = 0 OR method = 'not_defined') AS is_odd
    FROM payments
    GROUP BY order_id
), unit AS (
    SELECT DISTINCT order_id FROM lines GROUP BY order_id, product_id HAVING count(*) >= 5
), marked AS (
    SELECT
        o.order_id,
        o.customer_id,
        o.is_lost,
        ARRAY[
            count(*) OVER (PARTITION BY o.customer_id, o.placed_on) >= 3,
            u.order_id IS NOT NULL,
            p.vouchers >= 5,
            o.max_installments >= 8 AND o.paid < 100,
            abs(o.paid - o.value) > 1,
            o.value >= 2000 AND row_number() OVER (PARTITION BY o.customer_id ORDER BY o.placed_at, o.order_id) = 1,
            p.is_odd
        ] AS marks
    FROM orders AS o
    LEFT JOIN payment AS p USING (order_id)
    LEFT JOIN unit AS u USING (order_id)
), shown AS (
    SELECT l.pattern, m.order_id, m.customer_id, m.is_lost
    FROM marked AS m JOIN listed AS l ON m.marks[l.place] OR l.place = 8
    WHERE true = ANY (m.marks)
)
SELECT pattern, measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM shown
CROSS JOIN LATERAL (VALUES ('orders', true), ('lost', is_lost)) AS figure (measure, counts)
WHERE counts
UNION ALL
SELECT DISTINCT pattern, 'customers', 'customer.dim_customer', customer_id::text, 1
FROM shown
UNION ALL
SELECT pattern, 'paid_amount', 'sales.fact_payment', p.order_id || '/' || p.payment_no, p.amount
FROM shown JOIN payments AS p USING (order_id)
WHERE p.amount <> 0
UNION ALL
SELECT pattern, 'all_orders', 'sales.fact_order', order_id::text, 1
FROM listed CROSS JOIN orders
