-- number = 52
-- group = "Seller Metrics"
-- title = "How is revenue spread over our sellers?"
-- columns = "decile# sellers# orders# revenue revenue_share_pct cumulative_pct avg_revenue min_revenue"
-- key = ["decile"]
-- chart = { kind = "bar", x = "decile", y = ["revenue_share_pct"] }
-- finding = [
--   "The first tenth of the sellers, {first.sellers} of them, brings {first.revenue_share_pct} of the revenue, {first.avg_revenue} each; the last tenth {last.revenue_share_pct}.",
--   "No known seller has delivered anything so far.",
-- ]
-- definition = """
-- Sellers with delivered lines in ten groups (SQL ntile over -revenue, seller_id). orders: sum of the sellers' counts;
-- min_revenue: of a seller.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "seller"]
-- [made_of]
-- revenue_share_pct = ["revenue"]
-- cumulative_pct = ["revenue"]
-- avg_revenue = ["revenue", "sellers"]
-- min_revenue = ["revenue"]
-- [beyond]
-- revenue_share_pct = "all other rows"
-- cumulative_pct = "all other rows"

-- answer:
WITH ranked AS (
    SELECT delivered, revenue, ntile(10) OVER (ORDER BY revenue DESC, seller_id) AS decile
    FROM seller_scorecard
    WHERE delivered > 0
)
SELECT
    decile,
    count(*)::int AS sellers,
    sum(delivered)::int AS orders,
    round(sum(revenue), 2) AS revenue,
    round(100 * sum(revenue) / nullif(sum(sum(revenue)) OVER (), 0), 2) AS revenue_share_pct,
    round(100 * sum(sum(revenue)) OVER (ORDER BY decile) / nullif(sum(sum(revenue)) OVER (), 0), 2) AS cumulative_pct,
    round(sum(revenue) / count(*), 2) AS avg_revenue,
    round(min(revenue), 2) AS min_revenue
FROM ranked
GROUP BY decile
ORDER BY decile

-- rows:
WITH ranked AS (
    SELECT seller_id, ntile(10) OVER (ORDER BY revenue DESC, seller_id) AS decile
    FROM seller_scorecard
    WHERE delivered > 0
)
SELECT decile, 'sellers' AS measure, 'marketplace.dim_seller' AS "table", seller_id::text AS key, 1::numeric AS part
FROM ranked
UNION ALL
SELECT decile, 'orders', 'sales.fact_order', order_id::text, count(DISTINCT seller_id)  -- once for each of its sellers
FROM ranked JOIN lines USING (seller_id)
WHERE is_delivered
GROUP BY decile, order_id
UNION ALL
SELECT decile, 'revenue', 'sales.fact_order_item', order_id || '/' || item_no, total
FROM ranked JOIN lines USING (seller_id)
WHERE is_delivered AND total <> 0
