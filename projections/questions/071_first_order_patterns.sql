-- number = 71
-- group = "Channel & Attribution"
-- title = "What brings customers in, as far as orders show?"
-- columns = "pattern* customers# share_pct avg_first_order repeat_pct"
-- key = ["pattern"]
-- chart = { kind = "bar", x = "pattern", y = ["share_pct"] }
-- finding = [
--   "Most customers, {top(share_pct).share_pct}, come with a first order of the pattern {top(share_pct).pattern}; the dearest first orders are those of {top(avg_first_order).pattern}, {top(avg_first_order).avg_first_order} in the mean.",
-- ]
-- definition = """
-- Customers by the first pattern their first order meets: voucher (such a payment), Black Friday week (Monday to
-- Sunday around the day after November's fourth Thursday), long credit (6 installments or more), boleto (method),
-- weekend, working day. avg_first_order: its mean value.
-- """
-- caveat = "No channels in the data; patterns of orders only."
-- terms = ["customer, first order", "method, installments of an order", "value, paid", "delivered, lost, valid"]
-- [made_of]
-- share_pct = ["customers", "all_customers"]
-- avg_first_order = ["value", "valued_orders"]
-- repeat_pct = ["returned", "customers"]

-- answer:
WITH pattern (place, pattern) AS (
    VALUES
        (1, 'voucher'), (2, 'Black Friday week'), (3, 'long credit'), (4, 'boleto'), (5, 'weekend'), (6, 'working day')
), by_voucher AS (
    SELECT DISTINCT order_id FROM payments WHERE method = 'voucher'
), beginning AS (
    SELECT
        o.value,
        later.order_id IS NOT NULL AS is_returned,
        CASE WHEN v.order_id IS NOT NULL THEN 1
            -- the Friday of the week is the day after November's fourth Thursday
            WHEN to_char(date_trunc('week', o.placed_at) + interval '4 days', 'MMDD') BETWEEN '1123' AND '1129' THEN 2
            WHEN o.max_installments >= 6 THEN 3
            WHEN o.method = 'boleto' THEN 4
            WHEN extract(isodow FROM o.placed_on) >= 6 THEN 5
            ELSE 6
        END AS place
    FROM orders AS o
    LEFT JOIN by_voucher AS v USING (order_id)
    LEFT JOIN orders AS later ON later.customer_id = o.customer_id AND later.order_no = 2
    WHERE o.order_no = 1
), counted AS (
    SELECT
        place,
        count(*) AS customers,
        count(*) FILTER (WHERE is_returned) AS returned,
        sum(value) AS value,
        count(value) AS valued_orders
    FROM beginning
    GROUP BY place
)
SELECT
    pattern,
    coalesce(customers, 0)::int AS customers,
    coalesce(round(100.0 * customers / nullif(sum(customers) OVER (), 0), 2), 0.00) AS share_pct,
    round(value / nullif(valued_orders, 0), 2) AS avg_first_order,
    round(100.0 * returned / nullif(customers, 0), 2) AS repeat_pct
FROM pattern LEFT JOIN counted USING (place)
ORDER BY place

-- rows:
WITH pattern (place, pattern) AS (
    VALUES
        (1, 'voucher'), (2, 'Black Friday week'), (3, 'long credit'), (4, 'boleto'), (5, 'weekend'), (6, 'working day')
), by_voucher AS (
    SELECT DISTINCT order_id FROM payments WHERE method = 'voucher'
), beginning AS (
    SELECT
        o.order_id,
        o.customer_id,
        o.value,
        later.order_id IS NOT NULL AS is_returned,
        CASE WHEN v.order_id IS NOT NULL THEN 1
            WHEN to_char(date_trunc('week', o.placed_at) + interval '4 days', 'MMDD') BETWEEN '1123' AND '1129' THEN 2
            WHEN o.max_installments >= 6 THEN 3
            WHEN o.method = 'boleto' THEN 4
            WHEN extract(isodow FROM o.placed_on) >= 6 THEN 5
            ELSE 6
        END AS place
    FROM orders AS o
    LEFT JOIN by_voucher AS v USING (order_id)
    LEFT JOIN orders AS later ON later.customer_id = o.customer_id AND later.order_no = 2
    WHERE o.order_no = 1
)
SELECT pattern, measure, "table", key, part
FROM beginning
JOIN pattern USING (place)
CROSS JOIN LATERAL (
    VALUES
        ('customers', 'customer.dim_customer', customer_id::text, 1),
        ('returned', 'customer.dim_customer', customer_id::text, is_returned::int),
        ('value', 'sales.fact_order', order_id::text, value),
        ('valued_orders', 'sales.fact_order', order_id::text, (value IS NOT NULL)::int)
) AS figure (measure, "table", key, part)
WHERE part <> 0
UNION ALL
SELECT pattern, 'all_customers', 'customer.dim_customer', customer_id::text, 1
FROM pattern CROSS JOIN orders
WHERE order_no = 1
