-- number = 59
-- group = "Seller Health"
-- title = "How does seller performance differ by category?"
-- columns = "category* sellers# orders# revenue_per_seller avg_score late_pct lost_pct avg_days_to_handover"
-- key = ["category"]
-- chart = { kind = "table" }
-- finding = [
--   "A seller earns most in {top(revenue_per_seller).category}: {top(revenue_per_seller).revenue_per_seller}. Most deliveries come late in {top(late_pct).category}, {top(late_pct).late_pct}, and most orders are lost in {top(lost_pct).category}, {top(lost_pct).lost_pct}.",
--   "A seller earns most in {top(revenue_per_seller).category}: {top(revenue_per_seller).revenue_per_seller}.",
--   "Most orders are lost in {top(lost_pct).category}, {top(lost_pct).lost_pct}.",
--   "No category has enough orders.",
-- ]
-- definition = """
-- Lines of all orders by category; revenue of the delivered. Sort: -orders, category.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "category", "delivery, late", "review", "seller"]
-- [parameters]
-- min_orders = { default = 20, minimum = 0 }
-- [made_of]
-- revenue_per_seller = ["revenue", "sellers"]
-- avg_score = ["score_sum", "reviews"]
-- late_pct = ["late", "promised"]
-- lost_pct = ["lost", "orders"]
-- avg_days_to_handover = ["handover_seconds", "handovers"]

-- answer:
WITH sold AS (
    SELECT DISTINCT category, order_id FROM lines
), reviewed AS (
    SELECT order_id, count(*) AS reviews, sum(score) AS score_sum FROM reviews GROUP BY order_id
), by_category AS (
    SELECT
        category,
        count(*) AS orders,
        sum(reviews) AS reviews,
        sum(score_sum) AS score_sum,
        count(*) FILTER (WHERE is_lost) AS lost,
        count(days_late) AS promised,
        count(*) FILTER (WHERE days_late > 0) AS late,
        count(shipped_at) FILTER (WHERE is_delivery) AS handovers,
        extract(epoch FROM sum(shipped_at - placed_at) FILTER (WHERE is_delivery)) AS handover_seconds
    FROM sold JOIN orders USING (order_id) LEFT JOIN reviewed USING (order_id)
    GROUP BY category
    HAVING count(*) >= :min_orders
), offered AS (
    SELECT category, count(*) AS sellers, coalesce(sum(revenue), 0) AS revenue
    FROM (
        SELECT category, seller_id, sum(total) FILTER (WHERE is_delivered) AS revenue
        FROM lines
        WHERE seller_id IS NOT NULL
        GROUP BY category, seller_id
    ) AS by_seller
    GROUP BY category
)
SELECT
    category,
    coalesce(sellers, 0)::int AS sellers,
    orders::int AS orders,
    round(revenue / sellers, 2) AS revenue_per_seller,
    round(score_sum / nullif(reviews, 0), 2) AS avg_score,
    round(100.0 * late / nullif(promised, 0), 2) AS late_pct,
    round(100.0 * lost / orders, 2) AS lost_pct,
    round(handover_seconds / (86400 * nullif(handovers, 0)), 2) AS avg_days_to_handover
FROM by_category LEFT JOIN offered USING (category)
ORDER BY orders DESC, category COLLATE "C"

-- rows:
WITH sold AS (
    SELECT DISTINCT category, order_id FROM lines
)
SELECT category, 'sellers' AS measure, 'marketplace.dim_seller' AS "table", seller_id::text AS key, 1::numeric AS part
FROM lines
WHERE seller_id IS NOT NULL
GROUP BY category, seller_id
UNION ALL
SELECT category, measure, "table", order_id::text, part
FROM sold
JOIN orders USING (order_id)
CROSS JOIN LATERAL (
    VALUES
        ('orders', 'sales.fact_order', 1),
        ('lost', 'sales.fact_order', is_lost::int),
        ('promised', 'fulfillment.fact_delivery', (days_late IS NOT NULL)::int),
        ('late', 'fulfillment.fact_delivery', (days_late > 0)::int),
        ('handovers', 'fulfillment.fact_delivery', (is_delivery AND shipped_at IS NOT NULL)::int),
        (
            'handover_seconds',
            'fulfillment.fact_delivery',
            CASE WHEN is_delivery THEN extract(epoch FROM shipped_at - placed_at)::bigint END
        )
) AS figure (measure, "table", part)
WHERE part <> 0
UNION ALL
SELECT category, 'revenue', 'sales.fact_order_item', order_id || '/' || item_no, total
FROM lines
WHERE is_delivered AND total <> 0 AND seller_id IS NOT NULL
UNION ALL
SELECT category, measure, 'customer.fact_review', review_id || '/' || order_id, part
FROM sold
JOIN reviews USING (order_id)
CROSS JOIN LATERAL (VALUES ('reviews', 1), ('score_sum', score)) AS figure (measure, part)
