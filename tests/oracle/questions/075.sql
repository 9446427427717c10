WITH counted AS (
    SELECT *, max(order_no) OVER (PARTITION BY customer_id) AS orders_of_customer
    FROM q.orders
    WHERE is_valid
), valid_orders AS (
    SELECT *, CASE WHEN order_no > 1 THEN 'later order'
                   WHEN orders_of_customer > 1 THEN 'first of several'
                   ELSE 'only order' END AS order_kind
    FROM counted
), kinds AS (
    SELECT order_kind, count(*) AS orders, q_mean(value) AS avg_order_value,
        q2(sum(item_count), count(value)) AS lines_per_order,
        q_pct(sum(freight), sum(value)) AS freight_pct,
        q_mean(max_installments) AS avg_installments,
        q_pct(count(*) FILTER (method = 'credit_card'), count(*)) AS credit_card_pct,
        q_pct(count(*) FILTER (isodow(placed_on) >= 6), count(*)) AS weekend_pct
    FROM valid_orders
    GROUP BY order_kind
), scores AS (
    SELECT order_kind, q_mean(score) AS avg_score
    FROM valid_orders JOIN q.reviews USING (order_id)
    GROUP BY order_kind
)
SELECT order_kind, CAST(coalesce(orders, 0) AS INTEGER) AS orders, avg_order_value, lines_per_order, freight_pct,
    avg_installments, credit_card_pct, weekend_pct, avg_score
FROM (VALUES (1, 'only order'), (2, 'first of several'), (3, 'later order')) AS listed (place, order_kind)
LEFT JOIN kinds USING (order_kind)
LEFT JOIN scores USING (order_kind)
ORDER BY place;
