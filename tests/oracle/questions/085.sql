WITH of_a_day AS (
    SELECT customer_id, placed_on FROM q.orders GROUP BY ALL HAVING count(*) >= 3
), many_units AS (
    SELECT DISTINCT order_id FROM (SELECT order_id FROM q.lines GROUP BY order_id, product_id HAVING count(*) >= 5)
), payments AS (
    SELECT order_id, count(*) FILTER (method = 'voucher') AS vouchers,
        bool_or(amount = 0 OR method = 'not_defined') AS is_zero_or_undefined
    FROM q.payments
    GROUP BY order_id
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY placed_at, order_id) AS number FROM q.orders
), signs AS (
    SELECT customer_id, paid, is_lost, list_filter([
        CASE WHEN (customer_id, placed_on) IN (FROM of_a_day) THEN 1 END,
        CASE WHEN order_id IN (FROM many_units) THEN 2 END,
        CASE WHEN vouchers >= 5 THEN 3 END,
        CASE WHEN max_installments >= 8 AND paid < 100 THEN 4 END,
        CASE WHEN item_count > 0 AND abs(paid - value) > 1 THEN 5 END,
        CASE WHEN number = 1 AND value >= 2000 THEN 6 END,
        CASE WHEN is_zero_or_undefined THEN 7 END], lambda place: place IS NOT NULL) AS places
    FROM numbered LEFT JOIN payments USING (order_id)
), patterns AS (
    SELECT customer_id, paid, is_lost, unnest(places) AS place FROM signs
    UNION ALL
    SELECT customer_id, paid, is_lost, 8 FROM signs WHERE len(places) > 0
), counted AS (
    SELECT place, count(*) AS orders, count(DISTINCT customer_id) AS customers, sum(paid) AS paid_amount,
        q_pct(count(*) FILTER (is_lost), count(*)) AS lost_pct
    FROM patterns
    GROUP BY place
)
SELECT pattern, CAST(coalesce(orders, 0) AS INTEGER) AS orders,
    coalesce(q_pct(orders, (SELECT count(*) FROM q.orders)), CAST(0 AS DECIMAL(14, 2))) AS orders_pct,
    CAST(coalesce(customers, 0) AS INTEGER) AS customers,
    CAST(coalesce(paid_amount, 0) AS DECIMAL(14, 2)) AS paid_amount, lost_pct
FROM (VALUES (1, 'three or more orders in a day'), (2, 'five or more units of a product'),
    (3, 'five or more vouchers'), (4, 'eight or more installments below R$ 100'),
    (5, 'payments do not match the total'), (6, 'first order of R$ 2,000 or more'),
    (7, 'zero or undefined payment'), (8, 'any pattern')) AS listed (place, pattern)
LEFT JOIN counted USING (place)
ORDER BY place;
