-- number = 37
-- group = "Customer Behavior"
-- title = "How long until the second purchase?"
-- columns = "gap_days* customers# share_pct avg_days median_days#"
-- key = ["gap_days"]
-- chart = { kind = "bar", x = "gap_days", y = ["customers"] }
-- finding = [
--   "Half of the {all.customers} [customer who comes back does|customers who come back do] so within {all.median_days} [day|days], and {is(same day).share_pct} on the same day.",
--   "No customer has come back so far.",
-- ]
-- definition = """
-- Customers with two or more valid orders by calendar days from first to second: all, same day, 1-7, 8-30, 31-90,
-- 91-180, 181+.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "customer, first order"]
-- [made_of]
-- share_pct = ["customers"]
-- avg_days = ["days", "customers"]
-- median_days = ["days"]

-- answer:
WITH band (place, gap_days, least, most) AS (
    VALUES (0, 'all', 0, 2147483647), (1, 'same day', 0, 0), (2, '1-7', 1, 7), (3, '8-30', 8, 30), (4, '31-90', 31, 90),
        (5, '91-180', 91, 180), (6, '181+', 181, 2147483647)
), returned AS (
    SELECT second.placed_on - first.placed_on AS days
    FROM orders AS first JOIN orders AS second USING (customer_id)
    WHERE first.order_no = 1 AND second.order_no = 2
)
SELECT
    gap_days,
    count(days)::int AS customers,
    round(coalesce(100.0 * count(days) / nullif((SELECT count(*) FROM returned), 0), 0), 2) AS share_pct,
    round(1.0 * sum(days) / nullif(count(days), 0), 2) AS avg_days,
    (percentile_disc(0.5) WITHIN GROUP (ORDER BY days))::int AS median_days
FROM band LEFT JOIN returned ON days BETWEEN least AND most
GROUP BY place, gap_days
ORDER BY place

-- rows:
WITH band (gap_days, least, most) AS (
    VALUES ('all', 0, 2147483647), ('same day', 0, 0), ('1-7', 1, 7), ('8-30', 8, 30), ('31-90', 31, 90),
        ('91-180', 91, 180), ('181+', 181, 2147483647)
), returned AS (
    SELECT customer_id, second.order_id, second.placed_on - first.placed_on AS days
    FROM orders AS first JOIN orders AS second USING (customer_id)
    WHERE first.order_no = 1 AND second.order_no = 2
)
SELECT gap_days, measure, "table", key, part
FROM band
JOIN returned ON days BETWEEN least AND most
CROSS JOIN LATERAL (
    VALUES
        ('customers', 'customer.dim_customer', customer_id::text, 1),
        ('days', 'sales.fact_order', order_id::text, days)
) AS figure (measure, "table", key, part)
WHERE part <> 0
