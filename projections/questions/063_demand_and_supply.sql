-- number = 63
-- group = "Regional Performance"
-- title = "Which states buy much more than they sell, and grow?"
-- columns = "state* region* orders# sellers# demand_share_pct supply_share_pct gap_pp growth_pct potential*"
-- key = ["state"]
-- chart = { kind = "map", x = "state", y = ["gap_pp"] }
-- finding = [
--   "{first.state} buys most beyond what it sells: {first.demand_share_pct} of GMV goes there and {first.supply_share_pct} comes from its {first.sellers} [seller|sellers]. {last.state} sells most beyond what it buys: {last.supply_share_pct} against {last.demand_share_pct}.",
--   "{top(demand_share_pct).state} buys most, {top(demand_share_pct).demand_share_pct} of GMV; who sells it is not known.",
--   "No state has enough orders.",
-- ]
-- definition = """
-- Valid orders with lines by state; sellers there with a valid line. demand_share_pct: share of GMV by state of the
-- order; supply_share_pct: by state of the seller, of lines with a seller; gap_pp: their difference, unrounded;
-- growth_pct: change of GMV between the halves. potential: yes if the gap is positive and growth_pct above the
-- national one, else no. Sort: -gap_pp, state.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "regular period", "state, region, city of an order", "seller"]
-- [parameters]
-- min_orders = { default = 20, minimum = 0 }
-- [made_of]
-- region = []
-- demand_share_pct = ["demand"]
-- supply_share_pct = ["supply"]
-- gap_pp = ["demand", "supply"]
-- growth_pct = ["year_ago_gmv", "recent_gmv"]
-- potential = ["demand", "supply", "year_ago_gmv", "recent_gmv"]

-- answer:
WITH bought AS (
    SELECT
        o.state,
        o.region,
        count(*) AS orders,
        sum(o.price) AS demand,
        coalesce(sum(o.price) FILTER (WHERE m.half = 'year-ago'), 0) AS year_ago,
        coalesce(sum(o.price) FILTER (WHERE m.half = 'recent'), 0) AS recent
    FROM orders AS o JOIN months AS m USING (month_no)
    WHERE o.is_valid AND o.item_count > 0
    GROUP BY o.state, o.region
), sold AS (
    SELECT seller_state AS state, count(DISTINCT seller_id) AS sellers, sum(price) AS supply
    FROM lines
    WHERE is_valid AND seller_id IS NOT NULL
    GROUP BY seller_state
), compared AS (
    SELECT
        *,
        nullif(sum(demand) OVER (), 0) AS all_demand,
        (SELECT nullif(sum(supply), 0) FROM sold) AS all_supply,
        sum(year_ago) OVER () AS all_year_ago,
        sum(recent) OVER () AS all_recent
    FROM bought LEFT JOIN sold USING (state)
)
SELECT
    state,
    region,
    orders::int AS orders,
    coalesce(sellers, 0)::int AS sellers,
    round(100 * demand / all_demand, 2) AS demand_share_pct,
    round(100 * coalesce(supply, 0) / all_supply, 2) AS supply_share_pct,
    round(100 * (demand * all_supply - coalesce(supply, 0) * all_demand) / (all_demand * all_supply), 2) AS gap_pp,
    round(100 * (recent - year_ago) / nullif(year_ago, 0), 2) AS growth_pct,
    CASE WHEN demand * all_supply > coalesce(supply, 0) * all_demand
            AND year_ago > 0 AND recent * all_year_ago > year_ago * all_recent
        THEN 'yes' ELSE 'no'
    END AS potential
FROM compared
WHERE orders >= :min_orders
ORDER BY gap_pp DESC NULLS LAST, state COLLATE "C"

-- rows:
SELECT o.state, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders AS o
JOIN months AS m USING (month_no)
CROSS JOIN LATERAL (
    VALUES
        ('orders', 1),
        ('demand', o.price),
        ('year_ago_gmv', CASE WHEN half = 'year-ago' THEN o.price END),
        ('recent_gmv', CASE WHEN half = 'recent' THEN o.price END)
) AS figure (measure, part)
WHERE is_valid AND item_count > 0 AND part <> 0
UNION ALL
SELECT seller_state, 'sellers', 'marketplace.dim_seller', seller_id::text, 1
FROM lines
WHERE is_valid AND seller_id IS NOT NULL
GROUP BY seller_state, seller_id
UNION ALL
SELECT seller_state, 'supply', 'sales.fact_order_item', order_id || '/' || item_no, price
FROM lines
WHERE is_valid AND seller_id IS NOT NULL AND price <> 0
