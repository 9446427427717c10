-- number = 40
-- group = "Customer Behavior"
-- title = "Do customers who write reviews buy differently?"
-- columns = "behaviour* customers# orders# orders_per_customer avg_order_value repeat_pct avg_score avg_delivery_days"
-- key = ["behaviour"]
-- chart = { kind = "bar", x = "behaviour", y = ["orders_per_customer", "avg_order_value"] }
-- finding = [
--   "Customers who wrote a review place {is(wrote a review text).orders_per_customer} orders on average, of {is(wrote a review text).avg_order_value} each, and give {is(wrote a review text).avg_score}; those who only gave a score place {is(gave a score only).orders_per_customer}, of {is(gave a score only).avg_order_value}, and give {is(gave a score only).avg_score}.",
--   "{is(wrote a review text).customers} [customer|customers] wrote a review, {is(gave a score only).customers} gave a score only, {is(no review).customers} did neither.",
-- ]
-- definition = """
-- Customers with valid orders by the reviews of these: 'wrote a review text' (any written), 'gave a score only', 'no
-- review'. Their valid orders.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid", "customer, first order", "delivery, late", "review"]
-- [made_of]
-- orders_per_customer = ["orders", "customers"]
-- avg_order_value = ["value", "valued_orders"]
-- repeat_pct = ["repeat", "customers"]
-- avg_score = ["score_sum", "reviews"]
-- avg_delivery_days = ["delivery_seconds", "deliveries"]

-- answer:
WITH behaviour (place, behaviour) AS (
    VALUES (1, 'wrote a review text'), (2, 'gave a score only'), (3, 'no review')
), reviewed AS (
    SELECT customer_id, bool_or(is_written) AS has_written, count(*) AS reviews, sum(score) AS score_sum
    FROM reviews
    WHERE is_valid
    GROUP BY customer_id
), bought AS (
    SELECT
        customer_id,
        count(*) AS orders,
        count(value) AS valued_orders,
        sum(value) AS value,
        count(delivery_seconds) AS deliveries,
        sum(delivery_seconds) AS delivery_seconds
    FROM orders
    WHERE is_valid
    GROUP BY customer_id
), by_behaviour AS (
    SELECT
        CASE WHEN has_written THEN 1 WHEN reviews > 0 THEN 2 ELSE 3 END AS place,
        count(*) AS customers,
        count(*) FILTER (WHERE orders >= 2) AS repeat,
        sum(orders) AS orders,
        sum(valued_orders) AS valued_orders,
        sum(value) AS value,
        sum(reviews) AS reviews,
        sum(score_sum) AS score_sum,
        sum(deliveries) AS deliveries,
        sum(delivery_seconds) AS delivery_seconds
    FROM bought LEFT JOIN reviewed USING (customer_id)
    GROUP BY place
)
SELECT
    behaviour,
    coalesce(customers, 0)::int AS customers,
    coalesce(orders, 0)::int AS orders,
    round(orders / customers, 2) AS orders_per_customer,
    round(value / nullif(valued_orders, 0), 2) AS avg_order_value,
    round(100.0 * repeat / customers, 2) AS repeat_pct,
    round(score_sum / nullif(reviews, 0), 2) AS avg_score,
    round(delivery_seconds / (86400 * nullif(deliveries, 0)), 2) AS avg_delivery_days
FROM behaviour LEFT JOIN by_behaviour USING (place)
ORDER BY place

-- rows:
WITH behaviour AS (
    SELECT
        customer_id,
        CASE WHEN bool_or(is_written) THEN 'wrote a review text'
            WHEN count(score) > 0 THEN 'gave a score only'
            ELSE 'no review'
        END AS behaviour
    FROM (SELECT DISTINCT customer_id FROM orders WHERE is_valid) AS customer
    LEFT JOIN (SELECT * FROM reviews WHERE is_valid) AS given USING (customer_id)
    GROUP BY customer_id
)
SELECT behaviour, measure, 'customer.dim_customer' AS "table", customer_id::text AS key, part::numeric AS part
FROM behaviour
JOIN customer_rfm USING (customer_id)
CROSS JOIN LATERAL (VALUES ('customers', 1), ('repeat', (valid >= 2)::int)) AS figure (measure, part)
WHERE part <> 0
UNION ALL
SELECT behaviour, measure, "table", order_id::text, part
FROM behaviour
JOIN orders USING (customer_id)
CROSS JOIN LATERAL (
    VALUES
        ('orders', 'sales.fact_order', 1),
        ('valued_orders', 'sales.fact_order', (value IS NOT NULL)::int),
        ('value', 'sales.fact_order', value),
        ('deliveries', 'fulfillment.fact_delivery', is_delivery::int),
        ('delivery_seconds', 'fulfillment.fact_delivery', delivery_seconds)
) AS figure (measure, "table", part)
WHERE is_valid AND part <> 0
UNION ALL
SELECT behaviour, measure, 'customer.fact_review', review_id || '/' || order_id, part
FROM behaviour
JOIN reviews USING (customer_id)
CROSS JOIN LATERAL (VALUES ('reviews', 1), ('score_sum', score)) AS figure (measure, part)
WHERE is_valid
