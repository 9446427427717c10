-- number = 6
-- group = "Financial Performance"
-- title = "What is the average order value, and how does it change?"
-- columns = "month* delivered_orders# aov median_order_value lines_per_order aov_change_pct"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["aov", "median_order_value"] }
-- finding = [
--   "In {last(aov).month}, a delivered order was worth {last(aov).aov} on average, and half of them no more than {last(aov).median_order_value}.",
-- ]
-- definition = """
-- Delivered orders with lines, all months. aov_change_pct to the month before, null if either has none.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid", "dates, months"]
-- [made_of]
-- aov = ["value", "delivered_orders"]
-- median_order_value = ["value"]
-- lines_per_order = ["lines", "delivered_orders"]
-- aov_change_pct = ["value", "delivered_orders"]
-- [beyond]
-- aov_change_pct = "the month before"

-- answer:
WITH counted AS (
    SELECT
        month_no,
        count(*) AS n,
        sum(value) AS value,
        sum(item_count) AS lines,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY value) AS median_order_value
    FROM orders
    WHERE is_delivered AND item_count > 0
    GROUP BY month_no
)
SELECT
    month,
    coalesce(n, 0)::int AS delivered_orders,
    round(value / n, 2) AS aov,
    round(median_order_value, 2) AS median_order_value,
    round(1.0 * lines / n, 2) AS lines_per_order,
    round(  -- of the means, in one division
        100 * (value * lag(n) OVER w - lag(value) OVER w * n) / nullif(lag(value) OVER w * n, 0), 2
    ) AS aov_change_pct
FROM months LEFT JOIN counted AS c USING (month_no)
WINDOW w AS (ORDER BY month_no)
ORDER BY month_no

-- rows:
SELECT month, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders
CROSS JOIN LATERAL (
    VALUES ('delivered_orders', 1), ('value', value), ('lines', item_count)
) AS figure (measure, part)
WHERE is_delivered AND item_count > 0 AND part <> 0
