-- number = 74
-- group = "Channel & Attribution"
-- title = "With what do customers start?"
-- columns = "category* customers# share_pct avg_first_order"
-- key = ["category"]
-- chart = { kind = "bar", x = "category", y = ["customers"] }
-- finding = [
--   "{first.category} is where most customers start: {first.customers} of them, {first.share_pct}, with {first.avg_first_order} in the mean.",
-- ]
-- definition = """
-- First orders with lines by main category. avg_first_order: mean value. Sort: -customers, category.
-- """
-- caveat = ""
-- terms = ["customer, first order", "category", "value, paid"]
-- [made_of]
-- share_pct = ["customers", "all_customers"]
-- avg_first_order = ["value", "customers"]

-- answer:
WITH main AS (
    SELECT DISTINCT ON (l.order_id) l.category, o.value
    FROM lines AS l JOIN orders AS o USING (order_id)
    WHERE o.order_no = 1
    ORDER BY l.order_id, l.price DESC, l.item_no
)
SELECT
    category,
    count(*)::int AS customers,
    round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS share_pct,
    round(sum(value) / count(*), 2) AS avg_first_order
FROM main
GROUP BY category
ORDER BY customers DESC, category COLLATE "C"

-- rows:
WITH main AS (
    SELECT DISTINCT ON (l.order_id) l.order_id, o.customer_id, l.category, o.value
    FROM lines AS l JOIN orders AS o USING (order_id)
    WHERE o.order_no = 1
    ORDER BY l.order_id, l.price DESC, l.item_no
)
SELECT category, measure, "table", key, part
FROM main
CROSS JOIN LATERAL (
    VALUES
        ('customers', 'customer.dim_customer', customer_id::text, 1),
        ('value', 'sales.fact_order', order_id::text, value)
) AS figure (measure, "table", key, part)
WHERE part <> 0
UNION ALL
SELECT c.category, 'all_customers', 'customer.dim_customer', m.customer_id::text, 1
FROM (SELECT DISTINCT category FROM main) AS c CROSS JOIN main AS m
