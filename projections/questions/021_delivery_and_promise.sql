-- number = 21
-- group = "Delivery Performance"
-- title = "How long do deliveries take compared with the promise?"
-- columns = "month* deliveries# avg_delivery_days avg_promised_days avg_days_early median_delivery_days#"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["avg_delivery_days", "avg_promised_days"] }
-- finding = [
--   "A delivery takes {all.avg_delivery_days} days and is promised within {all.avg_promised_days}, so it comes {all.avg_days_early} days early; in {last(avg_promised_days).month} it took {last(avg_promised_days).avg_delivery_days} days of {last(avg_promised_days).avg_promised_days}.",
--   "A delivery takes {all.avg_delivery_days} days; of none is known until when it was promised.",
-- ]
-- definition = """
-- Deliveries, all and all months. In calendar days between dates: delivery = delivered - placed, promised = promised -
-- placed, early = promised - delivered; the latter two of deliveries with a promise.
-- """
-- caveat = ""
-- terms = ["dates, months", "delivery, late"]
-- [made_of]
-- avg_delivery_days = ["delivery_days", "deliveries"]
-- avg_promised_days = ["promised_days", "promised"]
-- avg_days_early = ["days_early", "promised"]
-- median_delivery_days = ["delivery_days"]

-- answer:
WITH listed AS (
    SELECT 0 AS place, 'all' AS month
    UNION ALL
    SELECT month_no, month FROM months
), delivery AS (
    SELECT month_no, placed_on, delivered_at::date AS delivered_on, promised_by::date AS promised_on
    FROM orders
    WHERE is_delivery
), counted AS (
    SELECT
        coalesce(month_no, 0) AS place,
        count(*) AS deliveries,
        count(promised_on) AS promised,
        sum(delivered_on - placed_on) AS delivery_days,
        sum(promised_on - placed_on) AS promised_days,
        sum(promised_on - delivered_on) AS days_early,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY delivered_on - placed_on) AS median_delivery_days
    FROM delivery
    GROUP BY GROUPING SETS ((), (month_no))
)
SELECT
    month,
    coalesce(deliveries, 0)::int AS deliveries,
    round(1.0 * delivery_days / nullif(deliveries, 0), 2) AS avg_delivery_days,
    round(1.0 * promised_days / nullif(promised, 0), 2) AS avg_promised_days,
    round(1.0 * days_early / nullif(promised, 0), 2) AS avg_days_early,
    median_delivery_days
FROM listed LEFT JOIN counted USING (place)
ORDER BY place

-- rows:
SELECT of_row.month, measure, 'fulfillment.fact_delivery' AS "table", order_id::text AS key, part
FROM orders AS o
CROSS JOIN LATERAL (VALUES ('all'), (o.month)) AS of_row (month)
CROSS JOIN LATERAL (
    VALUES
        ('deliveries', 1),
        ('promised', (promised_by IS NOT NULL)::int),
        ('delivery_days', delivered_at::date - placed_on),
        ('promised_days', promised_by::date - placed_on),
        ('days_early', promised_by::date - delivered_at::date)
) AS figure (measure, part)
WHERE is_delivery AND part <> 0
