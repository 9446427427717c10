-- number = 4
-- group = "Growth & Scale Metrics"
-- title = "How many sellers are active, and how many leave?"
-- columns = "month* selling_sellers# active_sellers# new_sellers# churned_sellers# churn_pct"
-- key = ["month"]
-- chart = { kind = "line", x = "month", y = ["active_sellers", "churned_sellers"] }
-- finding = [
--   "In {last.month}, {last.active_sellers} [seller was|sellers were] active, {last.new_sellers} of them new, and {last.churned_sellers} left: {last.churn_pct} of those active a month before.",
--   "In {last.month}, {last.active_sellers} [seller was|sellers were] active, {last.new_sellers} of them new.",
-- ]
-- definition = """
-- Regular months, valid lines of any month. Selling: a line in the month; active: in it or the two before; new:
-- first line ever; churned: active the month before, not now, churn_pct of those active then.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "dates, months", "regular period", "seller"]
-- [made_of]
-- churn_pct = ["churned_sellers", "active_before"]

-- answer:
WITH sold AS (  -- a seller and a month with a line of his, and the next and the first of these
    SELECT
        seller_id,
        month_no,
        lead(month_no) OVER of_seller AS next_no,
        first_value(month_no) OVER of_seller AS first_no
    FROM (SELECT DISTINCT seller_id, month_no FROM lines WHERE is_valid AND seller_id IS NOT NULL) AS month_of_seller
    WINDOW of_seller AS (PARTITION BY seller_id ORDER BY month_no)
), selling AS (
    SELECT month_no, count(*) AS sellers, count(*) FILTER (WHERE month_no = first_no) AS new_sellers
    FROM sold
    GROUP BY month_no
), active AS (  -- up to the month in which he sells again, so that nobody counts twice
    SELECT month_no + since AS month_no, count(*) AS sellers
    FROM sold CROSS JOIN generate_series(0, 2) AS since
    WHERE month_no + since < next_no OR next_no IS NULL
    GROUP BY month_no + since
), churned AS (
    SELECT month_no + 3 AS month_no, count(*) AS sellers
    FROM sold
    WHERE month_no + 3 < next_no OR next_no IS NULL
    GROUP BY month_no
)
SELECT
    month,
    coalesce(selling.sellers, 0)::int AS selling_sellers,
    coalesce(active.sellers, 0)::int AS active_sellers,
    coalesce(new_sellers, 0)::int AS new_sellers,
    coalesce(churned.sellers, 0)::int AS churned_sellers,
    round(100.0 * coalesce(churned.sellers, 0) / active_before.sellers, 2) AS churn_pct
FROM months
LEFT JOIN selling USING (month_no)
LEFT JOIN active USING (month_no)
LEFT JOIN churned USING (month_no)
LEFT JOIN active AS active_before ON active_before.month_no = months.month_no - 1
WHERE t IS NOT NULL
ORDER BY months.month_no

-- rows:
WITH sold AS (
    SELECT
        seller_id,
        month_no,
        lead(month_no) OVER of_seller AS next_no,
        first_value(month_no) OVER of_seller AS first_no
    FROM (SELECT DISTINCT seller_id, month_no FROM lines WHERE is_valid AND seller_id IS NOT NULL) AS month_of_seller
    WINDOW of_seller AS (PARTITION BY seller_id ORDER BY month_no)
), figure AS (
    SELECT
        seller_id,
        month_no + since AS month_no,
        unnest(CASE
            WHEN since = 0 AND month_no = first_no THEN ARRAY['selling_sellers', 'active_sellers', 'new_sellers']
            WHEN since = 0 THEN ARRAY['selling_sellers', 'active_sellers', 'active_before']
            WHEN since <= 2 THEN ARRAY['active_sellers', 'active_before']
            ELSE ARRAY['churned_sellers', 'active_before']
        END) AS measure
    FROM sold CROSS JOIN generate_series(0, 3) AS since
    WHERE month_no + since < next_no OR next_no IS NULL
)
SELECT month, measure, 'marketplace.dim_seller' AS "table", seller_id::text AS key, 1 AS part
FROM figure JOIN months USING (month_no)
WHERE t IS NOT NULL
