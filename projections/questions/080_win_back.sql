-- number = 80
-- group = "Campaign Planning"
-- title = "Which lapsed customers should we win back first?"
-- columns = "priority* value_tier* mood* customers# share_pct revenue revenue_per_customer avg_days_idle"
-- key = ["priority", "value_tier", "mood"]
-- chart = { kind = "table" }
-- finding = [
--   "{first.customers} lapsed [customer|customers] of the value tier {first.value_tier} and the mood {first.mood} [comes|come] first (priority {first.priority}): {first.revenue_per_customer} spent each, idle for {first.avg_days_idle} days.",
-- ]
-- definition = """
-- CHURNED customers on the evaluation date by value_tier (spent >= 200 high, >= 100 medium, else low) and mood (mean
-- score of reviews of their delivered orders: >= 4 satisfied, >= 3 neutral, none unknown, else dissatisfied), groups
-- that occur. Idle: days since the last purchase. priority A: satisfied, high or medium; B: satisfied low, or neutral
-- high or medium; else C. Sort: priority, value_tier, mood (satisfied, neutral, unknown, dissatisfied).
-- """
-- caveat = ""
-- terms = ["segment", "customer, first order", "review", "delivered, lost, valid"]
-- [made_of]
-- share_pct = ["customers", "all_customers"]
-- revenue_per_customer = ["revenue", "customers"]
-- avg_days_idle = ["days_idle", "customers"]

-- answer:
WITH lapsed AS (
    SELECT
        c.monetary,
        c.recency_days,
        CASE WHEN c.monetary >= 200 THEN 'high' WHEN c.monetary >= 100 THEN 'medium' ELSE 'low' END AS value_tier,
        CASE WHEN v.score IS NULL THEN 3 WHEN v.score >= 4 THEN 1 WHEN v.score >= 3 THEN 2 ELSE 4 END AS mood
    FROM customer_rfm AS c
    LEFT JOIN (
        SELECT customer_id, avg(score) AS score FROM reviews WHERE is_delivered GROUP BY customer_id
    ) AS v USING (customer_id)
    WHERE c.segment = 'CHURNED'
)
SELECT
    CASE WHEN mood = 1 AND value_tier <> 'low' THEN 'A'
        WHEN mood = 1 OR mood = 2 AND value_tier <> 'low' THEN 'B'
        ELSE 'C'
    END AS priority,
    value_tier,
    (ARRAY['satisfied', 'neutral', 'unknown', 'dissatisfied'])[mood] AS mood,
    count(*)::int AS customers,
    round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS share_pct,
    sum(monetary) AS revenue,
    round(sum(monetary) / count(*), 2) AS revenue_per_customer,
    round(1.0 * sum(recency_days) / count(*), 2) AS avg_days_idle
FROM lapsed
GROUP BY value_tier, lapsed.mood
ORDER BY priority, value_tier COLLATE "C", lapsed.mood

-- rows:
WITH lapsed AS (
    SELECT
        c.customer_id,
        c.recency_days,
        CASE WHEN c.monetary >= 200 THEN 'high' WHEN c.monetary >= 100 THEN 'medium' ELSE 'low' END AS value_tier,
        CASE WHEN v.score IS NULL THEN 'unknown'
            WHEN v.score >= 4 THEN 'satisfied'
            WHEN v.score >= 3 THEN 'neutral'
            ELSE 'dissatisfied'
        END AS mood
    FROM customer_rfm AS c
    LEFT JOIN (
        SELECT customer_id, avg(score) AS score FROM reviews WHERE is_delivered GROUP BY customer_id
    ) AS v USING (customer_id)
    WHERE c.segment = 'CHURNED'
), ranked AS (
    SELECT
        *,
        CASE WHEN mood = 'satisfied' AND value_tier <> 'low' THEN 'A'
            WHEN mood = 'satisfied' OR mood = 'neutral' AND value_tier <> 'low' THEN 'B'
            ELSE 'C'
        END AS priority
    FROM lapsed
), bucket AS (
    SELECT DISTINCT priority, value_tier, mood FROM ranked
)
SELECT priority, value_tier, mood, measure, 'customer.dim_customer' AS "table", customer_id::text AS key, part
FROM ranked
CROSS JOIN LATERAL (VALUES ('customers', 1), ('days_idle', recency_days)) AS figure (measure, part)
UNION ALL
SELECT b.priority, b.value_tier, b.mood, 'all_customers', 'customer.dim_customer', l.customer_id::text, 1
FROM bucket AS b CROSS JOIN lapsed AS l
UNION ALL
SELECT r.priority, r.value_tier, r.mood, 'revenue', 'sales.fact_order', o.order_id::text, o.value
FROM ranked AS r JOIN orders AS o USING (customer_id)
WHERE o.is_delivered AND o.value <> 0
