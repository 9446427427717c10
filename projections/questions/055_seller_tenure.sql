-- number = 55
-- group = "Seller Metrics"
-- title = "Do sellers get better with time?"
-- columns = "metric* sellers# avg_under_180_days avg_from_180_days correlation.4"
-- key = ["metric"]
-- chart = { kind = "table" }
-- finding = [
--   "Sellers with us for half a year and longer have {is(review score).avg_from_180_days} in reviews, newer ones {is(review score).avg_under_180_days}; {is(late deliveries pct).avg_from_180_days} % of their deliveries are late, {is(late deliveries pct).avg_under_180_days} % of the newer ones'.",
--   "Over {is(review score).sellers} [seller|sellers], the correlation of the time with us with review scores is {is(review score).correlation}, with the share of late deliveries {is(late deliveries pct).correlation}.",
--   "Sellers with us for half a year and longer have {is(review score).avg_from_180_days} in reviews, newer ones {is(review score).avg_under_180_days}.",
--   "Over {is(review score).sellers} [seller|sellers], the correlation of the time with us with review scores is {is(review score).correlation}.",
--   "Too few sellers have enough delivered orders to compare old and new ones.",
-- ]
-- definition = """
-- Sellers with min_orders delivered orders; tenure = age of the first. Metrics: 'delivered orders'; 'late deliveries
-- pct'; 'revenue per 30 days' = 30 x revenue / max(tenure, 30); 'review score' (mean over reviews of delivered
-- orders). Mean over sellers below and from 180 days of tenure; correlation of tenure with the metric. Sort: metric.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "close date, age, evaluation date", "delivery, late", "review", "correlation, trend, MAPE", "seller"]
-- [parameters]
-- min_orders = { default = 10, minimum = 0 }
-- [made_of]
-- avg_under_180_days = ["metric_under_180_days", "known_under_180_days"]
-- avg_from_180_days = ["metric_from_180_days", "known_from_180_days"]
-- correlation = ["tenure_days", "metric_under_180_days", "metric_from_180_days"]

-- answer:
WITH first_delivered AS (
    SELECT
        seller_id,
        min(o.placed_on) AS placed_on,
        count(DISTINCT order_id) FILTER (WHERE o.days_late IS NOT NULL) AS promised
    FROM lines JOIN orders AS o USING (order_id)
    WHERE o.is_delivered
    GROUP BY seller_id
), reviewed AS (
    SELECT seller_id, 1.0 * sum(score) / count(*) AS score
    FROM (SELECT DISTINCT seller_id, order_id FROM lines WHERE is_delivered AND seller_id IS NOT NULL) AS sold JOIN reviews USING (order_id)
    GROUP BY seller_id
), seller AS (
    SELECT
        close_date - placed_on AS tenure,
        delivered::numeric AS delivered,
        100.0 * late / nullif(promised, 0) AS late_pct,
        30 * revenue / greatest(close_date - placed_on, 30) AS monthly_revenue,
        score
    FROM seller_scorecard
    JOIN first_delivered USING (seller_id)
    LEFT JOIN reviewed USING (seller_id)
    CROSS JOIN period
    WHERE delivered >= :min_orders
), metric (place, metric) AS (
    VALUES (1, 'delivered orders'), (2, 'late deliveries pct'), (3, 'revenue per 30 days'), (4, 'review score')
), measured AS (
    SELECT
        place,
        tenure,
        CASE place WHEN 1 THEN delivered WHEN 2 THEN late_pct WHEN 3 THEN monthly_revenue ELSE score END AS value
    FROM seller CROSS JOIN metric
)
SELECT
    metric,
    count(tenure)::int AS sellers,
    round(round(avg(value) FILTER (WHERE tenure < 180), 10), 2) AS avg_under_180_days,
    round(round(avg(value) FILTER (WHERE tenure >= 180), 10), 2) AS avg_from_180_days,
    round((CASE WHEN count(value) >= 30 THEN corr(tenure, value) END)::numeric, 4) AS correlation
FROM metric LEFT JOIN measured USING (place)
GROUP BY place, metric
ORDER BY place

-- rows:
WITH first_delivered AS (
    SELECT
        seller_id,
        min(o.placed_on) AS placed_on,
        count(DISTINCT order_id) FILTER (WHERE o.days_late IS NOT NULL) AS promised
    FROM lines JOIN orders AS o USING (order_id)
    WHERE o.is_delivered
    GROUP BY seller_id
), reviewed AS (
    SELECT seller_id, 1.0 * sum(score) / count(*) AS score
    FROM (SELECT DISTINCT seller_id, order_id FROM lines WHERE is_delivered AND seller_id IS NOT NULL) AS sold JOIN reviews USING (order_id)
    GROUP BY seller_id
), seller AS (
    SELECT
        seller_id,
        close_date - placed_on AS tenure,
        delivered::numeric AS delivered,
        100.0 * late / nullif(promised, 0) AS late_pct,
        30 * revenue / greatest(close_date - placed_on, 30) AS monthly_revenue,
        score
    FROM seller_scorecard
    JOIN first_delivered USING (seller_id)
    LEFT JOIN reviewed USING (seller_id)
    CROSS JOIN period
    WHERE delivered >= :min_orders
)
SELECT metric, measure, 'marketplace.dim_seller' AS "table", seller_id::text AS key, part
FROM seller
CROSS JOIN LATERAL (
    VALUES
        ('delivered orders', delivered),
        ('late deliveries pct', late_pct),
        ('revenue per 30 days', monthly_revenue),
        ('review score', score)
) AS measured (metric, value)
CROSS JOIN LATERAL (
    VALUES
        ('sellers', 1),
        ('tenure_days', tenure),
        ('known_under_180_days', (value IS NOT NULL AND tenure < 180)::int),
        ('known_from_180_days', (value IS NOT NULL AND tenure >= 180)::int),
        ('metric_under_180_days', CASE WHEN tenure < 180 THEN value END),
        ('metric_from_180_days', CASE WHEN tenure >= 180 THEN value END)
) AS figure (measure, part)
WHERE part <> 0
