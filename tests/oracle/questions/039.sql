-- Active in a month is who ordered in it or in the five before.
WITH bought AS (
    SELECT DISTINCT customer_id, month_no FROM q.orders WHERE is_valid
), first_months AS (
    SELECT customer_id, min(month_no) AS month_no FROM bought GROUP BY customer_id
), active AS (
    SELECT DISTINCT customer_id, month_no + later AS month_no
    FROM bought CROSS JOIN (SELECT unnest(range(6)) AS later) AS five_months_on
), regular AS (
    SELECT month_no, month FROM q.months WHERE t IS NOT NULL
), members AS (
    SELECT r.month_no, a.customer_id,
        f.month_no = r.month_no AS is_new,
        b.customer_id IS NOT NULL AS was_active
    FROM regular AS r
    JOIN active AS a ON a.month_no = r.month_no
    JOIN first_months AS f ON f.customer_id = a.customer_id
    LEFT JOIN active AS b ON b.customer_id = a.customer_id AND b.month_no = r.month_no - 1
), members_before AS (
    SELECT r.month_no, count(*) AS active_before, count_if(a.customer_id IS NULL) AS churned
    FROM regular AS r
    JOIN active AS b ON b.month_no = r.month_no - 1
    LEFT JOIN active AS a ON a.customer_id = b.customer_id AND a.month_no = r.month_no
    GROUP BY r.month_no
), members_now AS (
    SELECT month_no, count(*) AS active_now, count_if(is_new) AS new,
        count_if(NOT is_new AND NOT was_active) AS reactivated
    FROM members
    GROUP BY month_no
)
SELECT month,
    CAST(coalesce(active_now, 0) AS INTEGER) AS active_customers,
    CAST(coalesce(new, 0) AS INTEGER) AS new_customers,
    CAST(coalesce(reactivated, 0) AS INTEGER) AS reactivated_customers,
    CAST(coalesce(churned, 0) AS INTEGER) AS churned_customers,
    q_pct(churned, active_before) AS churn_pct
FROM regular LEFT JOIN members_now USING (month_no) LEFT JOIN members_before USING (month_no)
ORDER BY month_no;
