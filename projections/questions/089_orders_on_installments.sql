-- number = 89
-- group = "Payment Risk"
-- title = "Do orders on many installments turn out worse?"
-- columns = "installments* orders# orders_share_pct aov lost_pct late_pct avg_score"
-- key = ["installments"]
-- chart = { kind = "bar", x = "installments", y = ["lost_pct", "late_pct"] }
-- finding = [
--   "Orders on 11 installments and more are lost in {is(11+).lost_pct} of cases and score {is(11+).avg_score}; those on one are lost in {is(1).lost_pct} and score {is(1).avg_score}.",
--   "Of the orders on one installment {is(1).lost_pct} are lost.",
-- ]
-- definition = """
-- All orders with a credit card payment by installment band of the order. AOV and avg_score of the delivered.
-- """
-- caveat = ""
-- terms = ["method, installments of an order", "delivered, lost, valid", "delivery, late", "value, paid", "review"]
-- [made_of]
-- orders_share_pct = ["orders", "all_orders"]
-- aov = ["value", "valued_orders"]
-- lost_pct = ["lost", "orders"]
-- late_pct = ["late", "promised"]
-- avg_score = ["score", "reviews"]

-- answer:
WITH band (place, installments) AS (
    VALUES (1, '1'), (2, '2-3'), (3, '4-6'), (4, '7-10'), (5, '11+')
), placed AS (
    SELECT o.*, greatest(width_bucket(max_installments, ARRAY[1, 2, 4, 7, 11]), 1) AS place
    FROM orders AS o
    JOIN (SELECT DISTINCT order_id FROM payments WHERE method = 'credit_card') AS by_card USING (order_id)
), of_orders AS (
    SELECT
        place,
        count(*) AS orders,
        sum(value) FILTER (WHERE is_delivered) AS value,
        count(value) FILTER (WHERE is_delivered) AS valued_orders,
        count(*) FILTER (WHERE is_lost) AS lost,
        count(days_late) AS promised,
        count(*) FILTER (WHERE days_late > 0) AS late
    FROM placed
    GROUP BY place
), of_reviews AS (
    SELECT p.place, avg(v.score) AS score
    FROM placed AS p JOIN reviews AS v USING (order_id)
    WHERE p.is_delivered
    GROUP BY p.place
)
SELECT
    installments,
    coalesce(orders, 0)::int AS orders,
    coalesce(round(100.0 * orders / nullif(sum(orders) OVER (), 0), 2), 0.00) AS orders_share_pct,
    round(value / nullif(valued_orders, 0), 2) AS aov,
    round(100.0 * lost / nullif(orders, 0), 2) AS lost_pct,
    round(100.0 * late / nullif(promised, 0), 2) AS late_pct,
    round(score, 2) AS avg_score
FROM band
LEFT JOIN of_orders USING (place)
LEFT JOIN of_reviews USING (place)
ORDER BY place

-- rows:
WITH band (place, installments) AS (
    VALUES (1, '1'), (2, '2-3'), (3, '4-6'), (4, '7-10'), (5, '11+')
), placed AS (
    SELECT o.*, b.installments
    FROM orders AS o
    JOIN (SELECT DISTINCT order_id FROM payments WHERE method = 'credit_card') AS by_card USING (order_id)
    JOIN band AS b ON b.place = greatest(width_bucket(o.max_installments, ARRAY[1, 2, 4, 7, 11]), 1)
)
SELECT installments, measure, "table", order_id::text AS key, part
FROM placed
CROSS JOIN LATERAL (
    VALUES
        ('orders', 'sales.fact_order', 1),
        ('value', 'sales.fact_order', CASE WHEN is_delivered THEN value END),
        ('valued_orders', 'sales.fact_order', CASE WHEN is_delivered AND value IS NOT NULL THEN 1 END),
        ('lost', 'sales.fact_order', is_lost::int),
        ('promised', 'fulfillment.fact_delivery', (days_late IS NOT NULL)::int),
        ('late', 'fulfillment.fact_delivery', (days_late > 0)::int)
) AS figure (measure, "table", part)
WHERE part <> 0
UNION ALL
SELECT p.installments, measure, 'customer.fact_review', v.review_id || '/' || order_id, part
FROM placed AS p
JOIN reviews AS v USING (order_id)
CROSS JOIN LATERAL (VALUES ('reviews', 1), ('score', v.score)) AS figure (measure, part)
WHERE p.is_delivered
UNION ALL
SELECT b.installments, 'all_orders', 'sales.fact_order', order_id::text, 1
FROM band AS b CROSS JOIN placed
