-- Products first ordered in a month, in an order of any status, and those in its valid lines.
WITH first_months AS (
    SELECT product_id, min(month_no) AS month_no FROM q.lines GROUP BY product_id
), new_products AS (
    SELECT month_no, count(*) AS new FROM first_months GROUP BY month_no
), sold AS (
    SELECT month_no, count(DISTINCT product_id) AS sold FROM q.lines WHERE is_valid GROUP BY month_no
), counted AS (
    SELECT month_no, month, coalesce(new, 0) AS new, coalesce(sold, 0) AS sold,
        sum(coalesce(new, 0)) OVER (ORDER BY month_no) AS catalogue_size
    FROM q.months LEFT JOIN new_products USING (month_no) LEFT JOIN sold USING (month_no)
)
SELECT month,
    CAST(new AS INTEGER) AS new_products,
    CAST(catalogue_size AS INTEGER) AS catalogue_size,
    CAST(sold AS INTEGER) AS products_sold,
    q_pct(sold, catalogue_size) AS sold_pct
FROM counted
ORDER BY month_no;
