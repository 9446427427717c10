-- max_offset=12
WITH firsts AS (
    SELECT customer_id, month_no AS cohort_no FROM q.orders WHERE order_no = 1
), cohorts AS (
    SELECT months.month_no AS cohort_no, months.month AS cohort, count(customer_id) AS customers
    FROM q.months AS months LEFT JOIN firsts ON cohort_no = months.month_no
    WHERE t IS NOT NULL
    GROUP BY ALL
), retentions AS (
    SELECT cohort_no, month_no - cohort_no AS month_offset, count(DISTINCT customer_id) AS retained
    FROM q.orders JOIN firsts USING (customer_id)
    WHERE is_valid
    GROUP BY ALL
), cells AS (
    SELECT cohort_no, cohort, customers, month_no - cohort_no AS month_offset
    FROM cohorts JOIN q.months ON month_no BETWEEN cohort_no AND cohort_no + $max_offset
    WHERE t IS NOT NULL
)
SELECT cohort, CAST(month_offset AS INTEGER) AS month_offset, CAST(customers AS INTEGER) AS customers,
    CAST(coalesce(retained, 0) AS INTEGER) AS retained,
    q_pct(coalesce(retained, 0), customers) AS retention_pct
FROM cells LEFT JOIN retentions USING (cohort_no, month_offset)
ORDER BY cohort, month_offset;
