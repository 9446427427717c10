-- min_product_lines=3 min_lines=50
WITH priced AS (
    SELECT category, product_id, month_no, price,
        max(price) OVER (PARTITION BY product_id) AS highest,
        count(*) OVER (PARTITION BY product_id) AS product_lines
    FROM q.lines
    WHERE is_valid
), population AS (
    SELECT *, 10 * price <= 9 * highest AS is_reduced FROM priced WHERE product_lines >= $min_product_lines
), product_months AS (
    SELECT category, product_id, month_no, count(*) AS lines, bool_or(is_reduced) AS is_reduced
    FROM population
    GROUP BY ALL
), demand AS (
    SELECT category,
        sum(lines) FILTER (NOT is_reduced) AS full_lines, count(*) FILTER (NOT is_reduced) AS full_months,
        sum(lines) FILTER (is_reduced) AS lines_reduced, count(*) FILTER (is_reduced) AS reduced_months
    FROM product_months
    GROUP BY category
), categories AS (
    SELECT category, CAST(count(DISTINCT product_id) AS INTEGER) AS products, CAST(count(*) AS INTEGER) AS lines,
        CAST(count(*) FILTER (is_reduced) AS INTEGER) AS reduced_lines,
        q_pct(count(*) FILTER (is_reduced), count(*)) AS reduced_pct,
        q2_near(avg(CASE WHEN highest > 0 THEN 100 * CAST(highest - price AS DOUBLE) / CAST(highest AS DOUBLE) END)
            FILTER (is_reduced)) AS avg_cut_pct
    FROM population
    GROUP BY category
    HAVING count(*) >= $min_lines
), compared AS (
    SELECT categories.*,
        q2(full_lines, full_months) AS monthly_lines_full,
        q2(lines_reduced, reduced_months) AS monthly_lines_reduced,
        q_pct(lines_reduced * full_months - full_lines * reduced_months, full_lines * reduced_months) AS uplift_pct
    FROM categories JOIN demand USING (category)
)
SELECT *,
    CASE WHEN uplift_pct IS NULL THEN 'no evidence' WHEN uplift_pct >= 20 THEN 'promote'
         WHEN uplift_pct <= 0 THEN 'hold price' ELSE 'test' END AS advice
FROM compared
ORDER BY uplift_pct DESC, category;
