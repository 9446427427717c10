-- number = 72
-- group = "Channel & Attribution"
-- title = "How many customers of each monthly cohort buy again?"
-- columns = "cohort* month_offset# customers# retained# retention_pct"
-- key = ["cohort", "month_offset"]
-- chart = { kind = "heat map", x = "month_offset", y = "cohort", value = "retention_pct" }
-- finding = [
--   "Most customers, {top(customers).customers}, were won in {top(customers).cohort}; where fewest bought again, in month {low(retention_pct).month_offset} after {low(retention_pct).cohort}, it was {low(retention_pct).retained} of {low(retention_pct).customers}.",
-- ]
-- definition = """
-- Customers by month of their first order (regular months) and offset 0 to max_offset up to the last regular month.
-- Retained: a valid order in the month so many after. Sort: cohort, month_offset.
-- """
-- caveat = ""
-- terms = ["customer, first order", "dates, months", "regular period", "delivered, lost, valid"]
-- [parameters]
-- max_offset = { default = 12, minimum = 0 }
-- [made_of]
-- retention_pct = ["retained", "customers"]

-- answer:
WITH cell AS (
    SELECT m.month AS cohort, m.month_no, month_offset
    FROM months AS m
    CROSS JOIN period AS p
    CROSS JOIN generate_series(0, least(:max_offset, p.last_no - m.month_no)) AS month_offset
    WHERE m.t IS NOT NULL AND m.month_no + month_offset <= p.last_no
), won AS (
    SELECT customer_id, month_no FROM orders WHERE order_no = 1
), active AS (
    SELECT DISTINCT customer_id, month_no FROM orders WHERE is_valid
), counted AS (
    SELECT w.month_no, a.month_no - w.month_no AS month_offset, count(*) AS retained
    FROM won AS w JOIN active AS a USING (customer_id)
    GROUP BY w.month_no, a.month_no
), sizes AS (
    SELECT month_no, count(*) AS customers FROM won GROUP BY month_no
)
SELECT
    cohort,
    month_offset::int AS month_offset,
    coalesce(customers, 0)::int AS customers,
    coalesce(retained, 0)::int AS retained,
    round(100.0 * coalesce(retained, 0) / nullif(customers, 0), 2) AS retention_pct
FROM cell
LEFT JOIN sizes USING (month_no)
LEFT JOIN counted USING (month_no, month_offset)
ORDER BY cohort COLLATE "C", month_offset

-- rows:
WITH cell AS (
    SELECT m.month AS cohort, m.month_no, month_offset::int AS month_offset
    FROM months AS m
    CROSS JOIN period AS p
    CROSS JOIN generate_series(0, least(:max_offset, p.last_no - m.month_no)) AS month_offset
    WHERE m.t IS NOT NULL AND m.month_no + month_offset <= p.last_no
), won AS (
    SELECT customer_id, month_no FROM orders WHERE order_no = 1
)
SELECT cohort, month_offset, measure, 'customer.dim_customer' AS "table", customer_id::text AS key, 1 AS part
FROM (
    SELECT cohort, month_offset, 'customers' AS measure, customer_id FROM cell JOIN won USING (month_no)
    UNION ALL
    SELECT DISTINCT c.cohort, c.month_offset, 'retained', w.customer_id
    FROM cell AS c
    JOIN won AS w USING (month_no)
    JOIN orders AS o ON o.customer_id = w.customer_id AND o.month_no = c.month_no + c.month_offset
    WHERE o.is_valid
) AS behind
