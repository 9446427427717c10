-- min_orders=20
-- Valid orders with lines by state, beside what the sellers there sell; amounts in cents.
WITH valid_lines AS (
    SELECT order_id, seller_id, month_no, state, region, seller_state, CAST(100 * price AS HUGEINT) AS cents
    FROM q.lines
    WHERE is_valid
), demand AS (
    SELECT state, region, count(DISTINCT order_id) AS orders, sum(cents) AS gmv,
        coalesce(sum(cents) FILTER (half = 'year-ago'), 0) AS year_ago,
        coalesce(sum(cents) FILTER (half = 'recent'), 0) AS recent
    FROM valid_lines JOIN q.months USING (month_no)
    GROUP BY state, region
), supply AS (
    SELECT seller_state AS state, count(DISTINCT seller_id) AS sellers, sum(cents) AS sold
    FROM valid_lines
    WHERE seller_id IS NOT NULL
    GROUP BY seller_state
), everything AS (
    SELECT sum(gmv) AS all_gmv, (SELECT sum(sold) FROM supply) AS all_sold,
        sum(year_ago) AS all_year_ago, sum(recent) AS all_recent
    FROM demand
), compared AS (
    SELECT state, region, orders, coalesce(sellers, 0) AS sellers, gmv, coalesce(sold, 0) AS sold,
        all_gmv, all_sold, year_ago, recent, all_year_ago, all_recent
    FROM demand CROSS JOIN everything LEFT JOIN supply USING (state)
    WHERE orders >= $min_orders
)
SELECT state, region,
    CAST(orders AS INTEGER) AS orders,
    CAST(sellers AS INTEGER) AS sellers,
    q_pct(gmv, all_gmv) AS demand_share_pct,
    q_pct(sold, all_sold) AS supply_share_pct,
    q_pct(gmv * all_sold - sold * all_gmv, all_gmv * all_sold) AS gap_pp,
    q_pct(recent - year_ago, year_ago) AS growth_pct,
    -- Both denominators are above zero, so the growths compare crosswise.
    CASE WHEN gmv * all_sold > sold * all_gmv AND year_ago > 0 AND recent * all_year_ago > all_recent * year_ago THEN 'yes' ELSE 'no' END
        AS potential
FROM compared
ORDER BY gap_pp DESC, state;
