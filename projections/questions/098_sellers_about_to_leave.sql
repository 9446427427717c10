-- number = 98
-- group = "Churn & Retention"
-- title = "Which sellers are about to leave?"
-- columns = "seller_id* seller_state* orders# last_sale@ days_silent# usual_gap_days silence_ratio orders_last_90_days# orders_prior_90_days# risk*"
-- key = ["seller_id"]
-- chart = { kind = "table" }
-- finding = [
--   "The seller most likely to leave, in {first.seller_state}, has been silent for {first.days_silent} [day|days], where {first.usual_gap_days} days between orders are usual; it had {first.orders} [order|orders].",
-- ]
-- definition = """
-- Valid orders placed up to the close date by seller, the last aged 31 to 180 (days_silent), silence_ratio >= 2.00.
-- Recent orders aged 0-89, prior 90-179. usual_gap_days = max(last - first sale date, orders - 1) / (orders - 1);
-- silence_ratio = days_silent / gap, unrounded; risk high from 4.00, else medium. Sort: -silence_ratio, -orders,
-- seller_id.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "close date, age, evaluation date", "seller"]
-- [parameters]
-- min_orders = { default = 10, minimum = 0 }
-- limit = { default = 50, minimum = 1 }
-- [made_of]
-- seller_state = []
-- last_sale = ["orders"]
-- days_silent = ["orders"]
-- usual_gap_days = ["orders"]
-- silence_ratio = ["orders"]
-- risk = ["orders"]

-- answer:
WITH sold AS (
    SELECT DISTINCT seller_id, seller_state, order_id, placed_on, close_date, close_date - placed_on AS age
    FROM lines CROSS JOIN period
    WHERE is_valid AND seller_id IS NOT NULL AND placed_on <= close_date
), counted AS (
    SELECT
        seller_id,
        seller_state,
        count(*) AS orders,
        max(placed_on) AS last_sale,
        min(age) AS days_silent,
        greatest(max(placed_on) - min(placed_on), count(*) - 1) AS selling_days,
        nullif(count(*) - 1, 0) AS gaps,
        count(*) FILTER (WHERE age <= 89) AS recent,
        count(*) FILTER (WHERE age BETWEEN 90 AND 179) AS prior
    FROM sold
    GROUP BY seller_id, seller_state
    HAVING count(*) >= :min_orders AND min(age) BETWEEN 31 AND 180
), figures AS (
    SELECT
        seller_id,
        seller_state,
        orders::int AS orders,
        last_sale,
        days_silent,
        round(1.0 * selling_days / gaps, 2) AS usual_gap_days,
        round(1.0 * days_silent * gaps / nullif(selling_days, 0), 2) AS silence_ratio,
        recent::int AS orders_last_90_days,
        prior::int AS orders_prior_90_days
    FROM counted
)
SELECT *, CASE WHEN silence_ratio >= 4 THEN 'high' ELSE 'medium' END AS risk
FROM figures
WHERE silence_ratio >= 2
ORDER BY silence_ratio DESC, orders DESC, seller_id
LIMIT :limit

-- rows:
SELECT seller_id, measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM (
    SELECT DISTINCT seller_id, order_id, close_date - placed_on AS age
    FROM lines CROSS JOIN period
    WHERE is_valid AND seller_id IS NOT NULL AND placed_on <= close_date
) AS sold
CROSS JOIN LATERAL (
    VALUES
        ('orders', true),
        ('orders_last_90_days', age <= 89),
        ('orders_prior_90_days', age BETWEEN 90 AND 179)
) AS figure (measure, counts)
WHERE counts
