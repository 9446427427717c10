-- number = 51
-- group = "Seller Metrics"
-- title = "Who are our top 10 % of sellers?"
-- columns = "revenue_rank# seller_id* seller_state* orders# revenue revenue_share_pct volume_rank# top_by_volume*"
-- key = ["revenue_rank"]
-- chart = { kind = "table" }
-- finding = [
--   "The seller that earns most brings {first.revenue} from {first.orders} [order|orders], {first.revenue_share_pct} of all revenue; each of the {rows} listed at least {last.revenue}.",
--   "No known seller has delivered anything so far.",
-- ]
-- definition = """
-- Delivered lines by seller; the first top_pct % of sellers (rounded up) by revenue_rank (-revenue, seller_id).
-- volume_rank: -orders, -revenue, seller_id; top_by_volume: yes if within the same number, else no. Sort:
-- revenue_rank.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "seller"]
-- [parameters]
-- top_pct = { default = 10.0, minimum = 0.0 }
-- limit = { default = 100, minimum = 1 }
-- [made_of]
-- seller_id = ["revenue"]
-- seller_state = []
-- revenue_share_pct = ["revenue"]
-- volume_rank = ["orders", "revenue"]
-- top_by_volume = ["orders", "revenue"]

-- answer:
WITH ranked AS (
    SELECT
        seller_id,
        state,
        delivered,
        revenue,
        row_number() OVER (ORDER BY revenue DESC, seller_id) AS revenue_rank,
        row_number() OVER (ORDER BY delivered DESC, revenue DESC, seller_id) AS volume_rank,
        (SELECT sum(total) FROM lines WHERE is_delivered) AS everything,
        ceil(:top_pct * count(*) OVER () / 100.0) AS top_n
    FROM seller_scorecard
    WHERE delivered > 0
)
SELECT
    revenue_rank::int AS revenue_rank,
    seller_id,
    state AS seller_state,
    delivered AS orders,
    round(revenue, 2) AS revenue,
    round(100 * revenue / nullif(everything, 0), 2) AS revenue_share_pct,
    volume_rank::int AS volume_rank,
    CASE WHEN volume_rank <= top_n THEN 'yes' ELSE 'no' END AS top_by_volume
FROM ranked
WHERE revenue_rank <= top_n
ORDER BY revenue_rank
LIMIT :limit

-- rows:
WITH ranked AS (
    SELECT seller_id, (row_number() OVER (ORDER BY revenue DESC, seller_id))::int AS revenue_rank
    FROM seller_scorecard
    WHERE delivered > 0
)
SELECT revenue_rank, 'orders' AS measure, 'sales.fact_order' AS "table", order_id::text AS key, 1::numeric AS part
FROM ranked JOIN lines USING (seller_id)
WHERE is_delivered
GROUP BY revenue_rank, order_id
UNION ALL
SELECT revenue_rank, 'revenue', 'sales.fact_order_item', order_id || '/' || item_no, total
FROM ranked JOIN lines USING (seller_id)
WHERE is_delivered AND total <> 0
