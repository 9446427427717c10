-- min_orders=10 limit=50
WITH sold AS (
    SELECT DISTINCT order_id, seller_id, seller_state, placed_on, close_date - placed_on AS age
    FROM q.seller_lines CROSS JOIN q.period
    WHERE is_valid AND placed_on <= close_date
), sellers AS (
    SELECT seller_id, any_value(seller_state) AS seller_state, CAST(count(*) AS INTEGER) AS orders,
        max(placed_on) AS last_sale, CAST(min(age) AS INTEGER) AS days_silent,
        greatest(max(placed_on) - min(placed_on), count(*) - 1) AS days_selling,
        CAST(count(*) FILTER (age BETWEEN 0 AND 89) AS INTEGER) AS orders_last_90_days,
        CAST(count(*) FILTER (age BETWEEN 90 AND 179) AS INTEGER) AS orders_prior_90_days
    FROM sold
    GROUP BY seller_id
    HAVING count(*) >= $min_orders AND min(age) BETWEEN 31 AND 180
), silent AS (
    SELECT seller_id, seller_state, orders, last_sale, days_silent,
        q2(days_selling, orders - 1) AS usual_gap_days,
        q2(days_silent * (orders - 1), days_selling) AS silence_ratio,
        orders_last_90_days, orders_prior_90_days
    FROM sellers
)
SELECT *, CASE WHEN silence_ratio >= 4 THEN 'high' ELSE 'medium' END AS risk
FROM silent
WHERE silence_ratio >= 2
ORDER BY silence_ratio DESC, orders DESC, seller_id
LIMIT $limit;
