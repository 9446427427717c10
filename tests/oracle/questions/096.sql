-- limit=50
WITH latest AS (
    SELECT customer_id, order_id, days_late
    FROM q.orders
    WHERE is_delivered
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY placed_at DESC, order_id DESC) = 1
), scores AS (
    SELECT order_id, sum(score) AS score, count(*) AS reviews FROM q.reviews GROUP BY order_id
), customers AS (
    SELECT customer_id, segment, delivered_orders, spent, evaluation_date - last_purchase AS days,
        score, reviews, days_late
    FROM q.segments((SELECT evaluation_date FROM q.period))
    CROSS JOIN q.period
    JOIN latest USING (customer_id)
    LEFT JOIN scores USING (order_id)
    WHERE segment NOT IN ('NEW', 'CHURNED')
)
SELECT customer_id, segment, CAST(days AS INTEGER) AS days_since_purchase,
    CAST(spent AS DECIMAL(14, 2)) AS revenue,
    q2(score, reviews) AS last_score,
    CASE WHEN days_late > 0 THEN 'yes' WHEN days_late = 0 THEN 'no' ELSE 'unknown' END AS last_late,
    q2(50 * days
        + 180 * CASE WHEN score <= 2 * reviews THEN 25 ELSE 0 END
        + 180 * CASE WHEN days_late > 0 THEN 15 ELSE 0 END
        + 180 * CASE WHEN delivered_orders = 1 THEN 10 ELSE 0 END, 180) AS risk
FROM customers
ORDER BY risk DESC, revenue DESC, customer_id
LIMIT $limit;
