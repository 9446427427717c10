-- commission_pct=10 fee_per_line=5.00 min_orders=20
WITH states AS (
    SELECT state, any_value(region) AS region, count(*) AS orders,
        count(*) FILTER (is_lost) AS lost,
        coalesce(sum(value) FILTER (is_delivered), 0) AS revenue,
        count(value) FILTER (is_delivered) AS valued_orders,
        sum(freight) FILTER (is_delivered) AS freight,
        count(DISTINCT customer_id) FILTER (is_delivered) AS customers,
        coalesce(sum(price) FILTER (is_delivered), 0) AS merchandise,
        coalesce(sum(item_count) FILTER (is_delivered), 0) AS lines
    FROM q.orders
    GROUP BY state
)
SELECT state, region, CAST(orders AS INTEGER) AS orders,
    q2(revenue, valued_orders) AS aov,
    q2(revenue, customers) AS revenue_per_customer,
    q_pct(freight, revenue) AS freight_pct,
    q_pct(lost, orders) AS lost_pct,
    q2($commission_pct * merchandise + 100 * $fee_per_line * lines, 100 * orders) AS take_per_order
FROM states
WHERE orders >= $min_orders
ORDER BY take_per_order DESC, state;
