-- Sellers by regular month. A line makes its seller active in three months.
WITH selling AS (
    SELECT DISTINCT seller_id, month_no FROM q.seller_lines WHERE is_valid
), active AS (
    SELECT DISTINCT seller_id, month_no + months_later AS month_no
    FROM selling CROSS JOIN range(3) AS later (months_later)
), first_line AS (
    SELECT seller_id, min(month_no) AS month_no FROM selling GROUP BY seller_id
), counted AS (
    SELECT m.month_no, m.month,
        (SELECT count(*) FROM selling AS s WHERE s.month_no = m.month_no) AS selling_sellers,
        (SELECT count(*) FROM active AS a WHERE a.month_no = m.month_no) AS active_sellers,
        (SELECT count(*) FROM first_line AS f WHERE f.month_no = m.month_no) AS new_sellers,
        (SELECT count(*) FROM active AS a WHERE a.month_no = m.month_no - 1) AS active_before,
        (SELECT count(*)
         FROM active AS a
         LEFT JOIN active AS still ON still.seller_id = a.seller_id AND still.month_no = a.month_no + 1
         WHERE a.month_no = m.month_no - 1 AND still.seller_id IS NULL) AS churned_sellers
    FROM q.months AS m
    WHERE m.t IS NOT NULL
)
SELECT month,
    CAST(selling_sellers AS INTEGER) AS selling_sellers,
    CAST(active_sellers AS INTEGER) AS active_sellers,
    CAST(new_sellers AS INTEGER) AS new_sellers,
    CAST(churned_sellers AS INTEGER) AS churned_sellers,
    q_pct(churned_sellers, active_before) AS churn_pct
FROM counted
ORDER BY month_no
