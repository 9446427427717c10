-- number = 14
-- group = "Pricing & Economics"
-- title = "Which price ranges bring volume, and which revenue?"
-- columns = "price_band* lines# lines_share_pct revenue revenue_share_pct volume_rank# revenue_rank#"
-- key = ["price_band"]
-- chart = { kind = "bar", x = "price_band", y = ["lines_share_pct", "revenue_share_pct"] }
-- finding = [
--   "Lines priced {top(lines).price_band} bring most volume, {top(lines).lines_share_pct} of the lines; lines priced {top(revenue).price_band} bring most revenue, {top(revenue).revenue_share_pct} of it.",
-- ]
-- definition = """
-- Delivered lines by price band of the line. Ranks: 1 is largest, ties to the lower band.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV"]
-- [made_of]
-- lines_share_pct = ["lines"]
-- revenue_share_pct = ["revenue"]
-- volume_rank = ["lines"]
-- revenue_rank = ["revenue"]

-- answer:
WITH band (place, price_band) AS (
    VALUES
        (0, '0-25'), (1, '25-50'), (2, '50-100'), (3, '100-200'), (4, '200-500'), (5, '500-1000'), (6, '1000+')
), counted AS (
    SELECT
        width_bucket(price, ARRAY[25.0, 50, 100, 200, 500, 1000]) AS place,
        count(*) AS lines,
        sum(total) AS revenue
    FROM lines
    WHERE is_delivered
    GROUP BY 1
), ranked AS (
    SELECT
        *,
        round(100.0 * c.lines / sum(c.lines) OVER (), 2) AS lines_share_pct,
        round(100 * revenue / nullif(sum(revenue) OVER (), 0), 2) AS revenue_share_pct,
        row_number() OVER (ORDER BY c.lines DESC, place) AS volume_rank,
        row_number() OVER (ORDER BY revenue DESC, place) AS revenue_rank
    FROM counted AS c
)
SELECT
    price_band,
    coalesce(r.lines, 0)::int AS lines,
    CASE WHEN r.lines IS NULL THEN 0.00 ELSE lines_share_pct END AS lines_share_pct,
    round(coalesce(revenue, 0), 2) AS revenue,
    CASE WHEN r.lines IS NULL THEN 0.00 ELSE revenue_share_pct END AS revenue_share_pct,
    volume_rank::int AS volume_rank,
    revenue_rank::int AS revenue_rank
FROM band LEFT JOIN ranked AS r USING (place)
ORDER BY place

-- rows:
WITH band (place, price_band) AS (
    VALUES
        (0, '0-25'), (1, '25-50'), (2, '50-100'), (3, '100-200'), (4, '200-500'), (5, '500-1000'), (6, '1000+')
)
SELECT price_band, measure, 'sales.fact_order_item' AS "table", order_id || '/' || item_no AS key, part
FROM lines
JOIN band ON place = width_bucket(price, ARRAY[25.0, 50, 100, 200, 500, 1000])
CROSS JOIN LATERAL (VALUES ('lines', 1), ('revenue', total)) AS figure (measure, part)
WHERE is_delivered AND part <> 0
