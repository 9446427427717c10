-- number = 38
-- group = "Customer Behavior"
-- title = "Which categories bring customers back?"
-- columns = "category* customers# returned# retention_pct avg_days_to_return"
-- key = ["category"]
-- chart = { kind = "bar", x = "category", y = ["retention_pct"] }
-- finding = [
--   "Customers who start with {top(retention_pct).category} come back most often: {top(retention_pct).returned} of {top(retention_pct).customers}, {top(retention_pct).retention_pct}, against {all.retention_pct} of all.",
--   "No category has enough first orders.",
-- ]
-- definition = """
-- Customers by category in their first order, and all with lines in it. Returned: placed a second valid order;
-- avg_days_to_return in calendar days. Sort: all, -retention_pct, -customers, category.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "customer, first order", "category"]
-- [parameters]
-- min_customers = { default = 30, minimum = 0 }
-- [made_of]
-- retention_pct = ["returned", "customers"]
-- avg_days_to_return = ["days_to_return", "returned"]

-- answer:
WITH first_order AS (
    SELECT first.order_id, first.item_count, second.placed_on - first.placed_on AS days
    FROM orders AS first
    LEFT JOIN orders AS second ON second.customer_id = first.customer_id AND second.order_no = 2
    WHERE first.order_no = 1
), counted AS (
    SELECT 0 AS place, 'all' AS category, count(*) AS customers, count(days) AS returned, sum(days) AS days
    FROM first_order
    WHERE item_count > 0
    UNION ALL
    SELECT 1, category, count(*), count(days), sum(days)
    FROM first_order JOIN (SELECT DISTINCT order_id, category FROM lines) AS bought USING (order_id)
    GROUP BY category
    HAVING count(*) >= :min_customers
)
SELECT
    category,
    customers::int AS customers,
    returned::int AS returned,
    round(100.0 * returned / nullif(customers, 0), 2) AS retention_pct,
    round(1.0 * days / nullif(returned, 0), 2) AS avg_days_to_return
FROM counted
ORDER BY place, retention_pct DESC NULLS LAST, customers DESC, category COLLATE "C"

-- rows:
WITH first_order AS (
    SELECT
        first.order_id,
        first.customer_id,
        second.order_id AS second_id,
        second.placed_on - first.placed_on AS days
    FROM orders AS first
    LEFT JOIN orders AS second ON second.customer_id = first.customer_id AND second.order_no = 2
    WHERE first.order_no = 1
), bought AS (
    SELECT DISTINCT order_id, category FROM lines
    UNION ALL
    SELECT order_id, 'all' FROM orders WHERE item_count > 0
)
SELECT category, measure, "table", key, part
FROM first_order
JOIN bought USING (order_id)
CROSS JOIN LATERAL (
    VALUES
        ('customers', 'customer.dim_customer', customer_id::text, 1),
        ('returned', 'customer.dim_customer', customer_id::text, (second_id IS NOT NULL)::int),
        ('days_to_return', 'sales.fact_order', second_id::text, days)
) AS figure (measure, "table", key, part)
WHERE part <> 0
