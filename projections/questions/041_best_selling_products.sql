-- number = 41
-- group = "Product Performance"
-- title = "Which products sell best by volume and by revenue?"
-- columns = "ranking* rank# product_id* category* lines# revenue"
-- key = ["ranking", "rank"]
-- chart = { kind = "bar", x = "rank", y = ["revenue"], series = "ranking" }
-- finding = [
--   "The product that sells most, of the category {top(lines).category}, went into {top(lines).lines} delivered [line|lines] and brought {top(lines).revenue}; the one that earns most, of {top(revenue).category}, brought {top(revenue).revenue} with {top(revenue).lines}.",
--   "No product has been delivered so far.",
-- ]
-- definition = """
-- Delivered lines by product. Ranking 'volume': -lines, -revenue, product_id; 'revenue': -revenue, -lines, product_id.
-- Sort: ranking (as listed), rank.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "category"]
-- [parameters]
-- top = { default = 20, minimum = 1 }
-- [made_of]
-- product_id = ["lines", "revenue"]
-- category = []

-- answer:
WITH ranked AS (
    SELECT
        product_id,
        category,
        delivered AS lines,
        revenue,
        row_number() OVER (ORDER BY delivered DESC, revenue DESC, product_id) AS by_volume,
        row_number() OVER (ORDER BY revenue DESC, delivered DESC, product_id) AS by_revenue
    FROM product_performance
    WHERE delivered > 0
)
SELECT ranking, rank::int AS rank, product_id, category, lines, round(revenue, 2) AS revenue
FROM ranked
CROSS JOIN LATERAL (VALUES (1, 'volume', by_volume), (2, 'revenue', by_revenue)) AS list (place, ranking, rank)
WHERE rank <= :top
ORDER BY place, rank

-- rows:
WITH ranked AS (
    SELECT
        product_id,
        row_number() OVER (ORDER BY delivered DESC, revenue DESC, product_id) AS by_volume,
        row_number() OVER (ORDER BY revenue DESC, delivered DESC, product_id) AS by_revenue
    FROM product_performance
    WHERE delivered > 0
)
SELECT ranking, rank::int AS rank, measure, 'sales.fact_order_item' AS "table", order_id || '/' || item_no AS key, part
FROM ranked
CROSS JOIN LATERAL (VALUES ('volume', by_volume), ('revenue', by_revenue)) AS list (ranking, rank)
JOIN lines USING (product_id)
CROSS JOIN LATERAL (VALUES ('lines', 1), ('revenue', total)) AS figure (measure, part)
WHERE is_delivered AND part <> 0
