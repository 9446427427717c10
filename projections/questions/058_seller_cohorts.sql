-- number = 58
-- group = "Seller Health"
-- title = "How many new sellers still sell after 6 and 12 months?"
-- columns = "cohort* sellers# eligible_6m# active_6m# active_6m_pct eligible_12m# active_12m# active_12m_pct"
-- key = ["cohort"]
-- chart = { kind = "bar", x = "cohort", y = ["active_6m_pct", "active_12m_pct"] }
-- finding = [
--   "Half a year after their first sale, {all.active_6m} of {all.eligible_6m} [seller still sells|sellers still sell], {all.active_6m_pct}; after a year {all.active_12m_pct}.",
--   "Half a year after their first sale, {all.active_6m} of {all.eligible_6m} [seller still sells|sellers still sell], {all.active_6m_pct}.",
--   "None of the {all.sellers} [seller|sellers] started half a year ago or earlier.",
-- ]
-- definition = """
-- Sellers by quarter of their first valid line, and all. Eligible: that date + 180 (365) days is not after the close
-- date; active: eligible, with a valid line on or after that day; pct of the eligible. Sort: all, cohort.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "close date, age, evaluation date", "seller"]
-- [made_of]
-- active_6m_pct = ["active_6m", "eligible_6m"]
-- active_12m_pct = ["active_12m", "eligible_12m"]

-- answer:
WITH seller AS (
    SELECT
        to_char(first_sale, 'YYYY-"Q"Q') AS cohort,
        first_sale + 180 <= close_date AS eligible_6m,
        first_sale + 180 <= close_date AND last_sale >= first_sale + 180 AS active_6m,
        first_sale + 365 <= close_date AS eligible_12m,
        first_sale + 365 <= close_date AND last_sale >= first_sale + 365 AS active_12m
    FROM seller_scorecard CROSS JOIN period
    WHERE first_sale IS NOT NULL
), counted AS (
    SELECT
        grouping(cohort) AS is_all,
        coalesce(cohort, 'all') AS cohort,
        count(*) AS sellers,
        count(*) FILTER (WHERE eligible_6m) AS eligible_6m,
        count(*) FILTER (WHERE active_6m) AS active_6m,
        count(*) FILTER (WHERE eligible_12m) AS eligible_12m,
        count(*) FILTER (WHERE active_12m) AS active_12m
    FROM seller
    GROUP BY GROUPING SETS ((), (cohort))
)
SELECT
    cohort,
    sellers::int AS sellers,
    eligible_6m::int AS eligible_6m,
    active_6m::int AS active_6m,
    round(100.0 * active_6m / nullif(eligible_6m, 0), 2) AS active_6m_pct,
    eligible_12m::int AS eligible_12m,
    active_12m::int AS active_12m,
    round(100.0 * active_12m / nullif(eligible_12m, 0), 2) AS active_12m_pct
FROM counted
ORDER BY is_all DESC, cohort COLLATE "C"

-- rows:
SELECT cohort, measure, 'marketplace.dim_seller' AS "table", seller_id::text AS key, part
FROM seller_scorecard
CROSS JOIN period
CROSS JOIN LATERAL (VALUES ('all'), (to_char(first_sale, 'YYYY-"Q"Q'))) AS cohorts (cohort)
CROSS JOIN LATERAL (
    VALUES
        ('sellers', 1),
        ('eligible_6m', (first_sale + 180 <= close_date)::int),
        ('active_6m', (first_sale + 180 <= close_date AND last_sale >= first_sale + 180)::int),
        ('eligible_12m', (first_sale + 365 <= close_date)::int),
        ('active_12m', (first_sale + 365 <= close_date AND last_sale >= first_sale + 365)::int)
) AS figure (measure, part)
WHERE first_sale IS NOT NULL AND part <> 0
