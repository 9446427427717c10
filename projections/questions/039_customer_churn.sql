-- number = 39
-- group = "Customer Behavior"
-- title = "How many customers do we lose each month?"
-- columns = "month* active_customers# new_customers# reactivated_customers# churned_customers# churn_pct"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["active_customers", "new_customers", "churned_customers"] }
-- finding = [
--   "In {last.month}, {last.churned_customers} [customer has|customers have] not ordered for six months, {last.churn_pct} of those active the month before, while {last.new_customers} [is|are] new and {last.reactivated_customers} came back.",
--   "In {last.month}, {last.active_customers} [customer is|customers are] active, of whom {last.new_customers} [is|are] new.",
-- ]
-- definition = """
-- Regular months, valid orders of any month. Active: an order in the month or the five before; new: first order;
-- churned: active the month before, not now, churn_pct of those active then; reactivated: active, not new, not active
-- the month before.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "dates, months", "regular period", "customer, first order"]
-- [made_of]
-- churn_pct = ["churned_customers", "active_customers"]
-- [beyond]
-- churn_pct = "the month before"

-- answer:
WITH bought AS (  -- a customer stays active for five months after one with an order
    SELECT
        customer_id,
        month_no,
        lag(month_no) OVER w AS before,
        lead(month_no) OVER w AS after
    FROM (SELECT DISTINCT customer_id, month_no FROM orders WHERE is_valid) AS ordered
    WINDOW w AS (PARTITION BY customer_id ORDER BY month_no)
), come AS (
    SELECT
        month_no,
        count(*) FILTER (WHERE before IS NULL) AS fresh,
        count(*) FILTER (WHERE month_no - before > 6) AS reactivated
    FROM bought
    GROUP BY month_no
), gone AS (
    SELECT month_no + 6 AS month_no, count(*) AS churned
    FROM bought
    WHERE after IS NULL OR after - month_no > 6
    GROUP BY month_no
), by_month AS (
    SELECT
        month_no,
        month,
        t,
        coalesce(fresh, 0) AS fresh,
        coalesce(reactivated, 0) AS reactivated,
        coalesce(churned, 0) AS churned
    FROM months LEFT JOIN come USING (month_no) LEFT JOIN gone USING (month_no)
), running AS (
    SELECT *, sum(fresh + reactivated - churned) OVER (ORDER BY month_no) AS active FROM by_month
), compared AS (
    SELECT *, lag(active) OVER (ORDER BY month_no) AS active_before FROM running
)
SELECT
    month,
    active::int AS active_customers,
    fresh::int AS new_customers,
    reactivated::int AS reactivated_customers,
    churned::int AS churned_customers,
    round(100.0 * churned / nullif(active_before, 0), 2) AS churn_pct
FROM compared
WHERE t IS NOT NULL
ORDER BY month_no

-- rows:
WITH bought AS (
    SELECT
        customer_id,
        month_no,
        lag(month_no) OVER w AS before,
        lead(month_no) OVER w AS after
    FROM (SELECT DISTINCT customer_id, month_no FROM orders WHERE is_valid) AS ordered
    WINDOW w AS (PARTITION BY customer_id ORDER BY month_no)
), found AS (
    SELECT month, 'active_customers' AS measure, customer_id
    FROM bought AS b JOIN months AS m ON m.month_no BETWEEN b.month_no AND least(b.month_no + 5, b.after - 1)
    WHERE t IS NOT NULL
    UNION ALL
    SELECT month, 'new_customers', customer_id
    FROM bought JOIN months USING (month_no)
    WHERE t IS NOT NULL AND before IS NULL
    UNION ALL
    SELECT month, 'reactivated_customers', customer_id
    FROM bought JOIN months USING (month_no)
    WHERE t IS NOT NULL AND month_no - before > 6
    UNION ALL
    SELECT month, 'churned_customers', customer_id
    FROM bought AS b JOIN months AS m ON m.month_no = b.month_no + 6
    WHERE t IS NOT NULL AND (after IS NULL OR after - b.month_no > 6)
)
SELECT month, measure, 'customer.dim_customer' AS "table", customer_id::text AS key, 1 AS part
FROM found
