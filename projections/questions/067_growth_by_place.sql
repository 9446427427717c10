-- number = 67
-- group = "Market Penetration"
-- title = "Which regions and states grow fastest?"
-- columns = "level* place* orders# year_ago_gmv recent_gmv growth_pct"
-- key = ["level", "place"]
-- chart = { kind = "map", x = "place", y = ["growth_pct"] }
-- finding = [
--   "{top(growth_pct).place} grows fastest: GMV changed by {top(growth_pct).growth_pct} on the year, from {top(growth_pct).year_ago_gmv} to {top(growth_pct).recent_gmv}; {low(growth_pct).place} slowest: {low(growth_pct).growth_pct}.",
--   "No place can be compared with the year before: that takes 18 regular months.",
-- ]
-- definition = """
-- Valid orders with lines in the two halves by level region (all), then state (min_orders). Sort: level (as listed),
-- -growth_pct, place.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "regular period", "state, region, city of an order"]
-- [parameters]
-- min_orders = { default = 20, minimum = 0 }
-- [made_of]
-- growth_pct = ["year_ago_gmv", "recent_gmv"]

-- answer:
WITH by_place AS (
    SELECT
        rank,
        level,
        place,
        count(*) AS orders,
        coalesce(sum(price) FILTER (WHERE half = 'year-ago'), 0) AS year_ago,
        coalesce(sum(price) FILTER (WHERE half = 'recent'), 0) AS recent
    FROM orders
    JOIN months USING (month_no)
    CROSS JOIN LATERAL (VALUES (1, 'region', region), (2, 'state', state)) AS places (rank, level, place)
    WHERE is_valid AND item_count > 0 AND half IS NOT NULL
    GROUP BY rank, level, place
    HAVING rank = 1 OR count(*) >= :min_orders
)
SELECT
    level,
    place,
    orders::int AS orders,
    round(year_ago, 2) AS year_ago_gmv,
    round(recent, 2) AS recent_gmv,
    round(100 * (recent - year_ago) / nullif(year_ago, 0), 2) AS growth_pct
FROM by_place
ORDER BY rank, growth_pct DESC NULLS LAST, place COLLATE "C"

-- rows:
SELECT level, place, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders
JOIN months USING (month_no)
CROSS JOIN LATERAL (VALUES ('region', region), ('state', state)) AS places (level, place)
CROSS JOIN LATERAL (
    VALUES
        ('orders', 1),
        ('year_ago_gmv', CASE WHEN half = 'year-ago' THEN price END),
        ('recent_gmv', CASE WHEN half = 'recent' THEN price END)
) AS figure (measure, part)
WHERE is_valid AND item_count > 0 AND half IS NOT NULL AND part <> 0
