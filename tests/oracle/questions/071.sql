WITH novembers AS (
    -- From Monday to Sunday: three days before and three days after the fourth Thursday.
    SELECT DISTINCT year(placed_on) AS year, make_date(year(placed_on), 11, 1) AS begins
    FROM q.orders
), weeks AS (
    SELECT year, begins + CAST((11 - isodow(begins)) % 7 + 21 AS INTEGER) AS thursday FROM novembers
), vouchers AS (
    SELECT DISTINCT order_id FROM q.payments WHERE method = 'voucher'
), repeating AS (
    SELECT customer_id FROM q.orders WHERE order_no = 2
), firsts AS (
    SELECT value, customer_id IN (FROM repeating) AS is_repeating,
        CASE WHEN order_id IN (FROM vouchers) THEN 'voucher'
             WHEN placed_on BETWEEN thursday - 3 AND thursday + 3 THEN 'Black Friday week'
             WHEN max_installments >= 6 THEN 'long credit'
             WHEN method = 'boleto' THEN 'boleto'
             WHEN isodow(placed_on) >= 6 THEN 'weekend'
             ELSE 'working day' END AS pattern
    FROM q.orders JOIN weeks ON year = year(placed_on)
    WHERE order_no = 1
), patterns AS (
    SELECT pattern, count(*) AS customers, q_pct(count(*), sum(count(*)) OVER ()) AS share_pct,
        q_mean(value) AS avg_first_order, q_pct(count(*) FILTER (is_repeating), count(*)) AS repeat_pct
    FROM firsts
    GROUP BY pattern
)
SELECT pattern, CAST(coalesce(customers, 0) AS INTEGER) AS customers,
    coalesce(share_pct, CAST(0 AS DECIMAL(14, 2))) AS share_pct, avg_first_order, repeat_pct
FROM (VALUES (1, 'voucher'), (2, 'Black Friday week'), (3, 'long credit'), (4, 'boleto'), (5, 'weekend'),
    (6, 'working day')) AS listed (place, pattern)
LEFT JOIN patterns USING (pattern)
ORDER BY place;
