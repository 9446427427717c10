-- number = 22
-- group = "Delivery Performance"
-- title = "What share of deliveries is late, and where is it going?"
-- columns = "month* deliveries# late# late_pct change_pp late_pct_3m past_estimate_pct avg_days_late"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["late_pct"] }
-- finding = [
--   "In {last(late_pct).month}, {last(late_pct).late} of {last(late_pct).deliveries} [delivery|deliveries] came after the promised day: {last(late_pct).late_pct} of those promised, after {top(late_pct).late_pct} at worst, in {top(late_pct).month}.",
--   "Of no delivery since {first.month} is known until when it was promised.",
-- ]
-- definition = """
-- Deliveries, all months. change_pp: late_pct less the month before's, unrounded; late_pct_3m: over the month and the two before, null in the first two; past_estimate_pct: delivered_at after promised_by as timestamps.
-- """
-- caveat = ""
-- terms = ["delivery, late", "dates, months"]
-- [made_of]
-- late_pct = ["late", "promised"]
-- change_pp = ["late", "promised"]
-- late_pct_3m = ["late", "promised"]
-- past_estimate_pct = ["past_estimate", "promised"]
-- avg_days_late = ["days_late", "late"]
-- [beyond]
-- change_pp = "the month before"
-- late_pct_3m = "the two months before"

-- answer:
WITH counted AS (
    SELECT
        month_no,
        count(*) AS deliveries,
        count(days_late) AS promised,
        count(*) FILTER (WHERE days_late > 0) AS late,
        count(*) FILTER (WHERE delivered_at > promised_by) AS past_estimate,
        sum(days_late) AS days_late
    FROM orders
    WHERE is_delivery
    GROUP BY month_no
), by_month AS (
    SELECT
        month_no,
        month,
        coalesce(deliveries, 0) AS deliveries,
        coalesce(promised, 0) AS promised,
        coalesce(late, 0) AS late,
        past_estimate,
        days_late
    FROM months LEFT JOIN counted USING (month_no)
)
SELECT
    month,
    deliveries::int AS deliveries,
    late::int AS late,
    round(100.0 * late / nullif(promised, 0), 2) AS late_pct,
    round(100.0 * late / nullif(promised, 0) - 100.0 * lag(late) OVER w / nullif(lag(promised) OVER w, 0), 2) AS change_pp,
    CASE WHEN row_number() OVER w > 2
        THEN round(100.0 * sum(late) OVER three / nullif(sum(promised) OVER three, 0), 2)
    END AS late_pct_3m,
    round(100.0 * past_estimate / nullif(promised, 0), 2) AS past_estimate_pct,
    round(1.0 * days_late / nullif(late, 0), 2) AS avg_days_late
FROM by_month
WINDOW w AS (ORDER BY month_no), three AS (ORDER BY month_no ROWS 2 PRECEDING)
ORDER BY month_no

-- rows:
SELECT month, measure, 'fulfillment.fact_delivery' AS "table", order_id::text AS key, part
FROM orders
CROSS JOIN LATERAL (
    VALUES
        ('deliveries', 1),
        ('promised', (days_late IS NOT NULL)::int),
        ('late', (days_late > 0)::int),
        ('past_estimate', (delivered_at > promised_by)::int),
        ('days_late', days_late)
) AS figure (measure, part)
WHERE is_delivery AND part <> 0
