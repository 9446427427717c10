-- comment = "Each product, those too that only lines know: what it is, sales, reviews; sums only, no ratios"
-- key = ["product_id"]
-- [columns]
-- product_id = "the product"
-- is_listed = "whether the file of products has it"
-- category = "English name of its category, else the Portuguese one, else unknown"
-- photos = "photos of it; null where not given"
-- description_length = "characters of its description"
-- weight = "weight in grams"
-- volume = "volume in cubic centimetres"
-- lines = "its lines, of all orders"
-- valid = "lines of orders that are not lost"
-- delivered = "lines of delivered orders"
-- orders = "different orders with it"
-- valid_orders = "those that are not lost"
-- lost = "those that are lost"
-- sellers = "different sellers of its valid lines, known ones"
-- revenue = "price and freight of its delivered lines"
-- gmv = "price of its valid lines"
-- min_price = "lowest price of a valid line"
-- max_price = "highest price of a valid line"
-- first_ordered = "first date of an order, lost ones too"
-- last_sold = "last date of a valid order"
-- reviews = "reviews of delivered orders with it"
-- score_sum = "sum of their scores"
-- positive = "those with score 4 or 5"
-- negative = "those with score 1 or 2"
-- position = "newest event that went in"

-- query:
WITH of_lines AS (
    SELECT
        product_id,
        count(*) AS lines,
        count(*) FILTER (WHERE is_valid) AS valid,
        count(*) FILTER (WHERE is_delivered) AS delivered,
        count(DISTINCT order_id) AS orders,
        count(DISTINCT order_id) FILTER (WHERE is_valid) AS valid_orders,
        count(DISTINCT order_id) FILTER (WHERE is_lost) AS lost,
        count(DISTINCT seller_id) FILTER (WHERE is_valid) AS sellers,
        sum(total) FILTER (WHERE is_delivered) AS revenue,
        sum(price) FILTER (WHERE is_valid) AS gmv,
        min(price) FILTER (WHERE is_valid) AS min_price,
        max(price) FILTER (WHERE is_valid) AS max_price,
        min(placed_on) AS first_ordered,
        max(placed_on) FILTER (WHERE is_valid) AS last_sold,
        max(position) AS position
    FROM lines
    GROUP BY product_id
), of_reviews AS (
    SELECT
        s.product_id,
        count(*) AS reviews,
        sum(v.score) AS score_sum,
        count(*) FILTER (WHERE v.score >= 4) AS positive,
        count(*) FILTER (WHERE v.score <= 2) AS negative,
        max(v.position) AS position
    FROM (SELECT DISTINCT product_id, order_id FROM lines WHERE is_delivered) AS s JOIN reviews AS v USING (order_id)
    GROUP BY s.product_id
), listed AS (
    SELECT * FROM dim_product WHERE product_id <> '00000000-0000-0000-0000-000000000000'
)
SELECT
    product_id,
    p.product_id IS NOT NULL AS is_listed,
    coalesce(p.category_english, 'unknown') AS category,
    p.photos,
    p.description_length,
    p.weight_g AS weight,
    p.volume_cm3 AS volume,
    coalesce(l.lines, 0)::int AS lines,
    coalesce(l.valid, 0)::int AS valid,
    coalesce(l.delivered, 0)::int AS delivered,
    coalesce(l.orders, 0)::int AS orders,
    coalesce(l.valid_orders, 0)::int AS valid_orders,
    coalesce(l.lost, 0)::int AS lost,
    coalesce(l.sellers, 0)::int AS sellers,
    coalesce(l.revenue, 0)::numeric(14, 2) AS revenue,
    coalesce(l.gmv, 0)::numeric(14, 2) AS gmv,
    l.min_price,
    l.max_price,
    l.first_ordered,
    l.last_sold,
    coalesce(v.reviews, 0)::int AS reviews,
    coalesce(v.score_sum, 0)::int AS score_sum,
    coalesce(v.positive, 0)::int AS positive,
    coalesce(v.negative, 0)::int AS negative,
    greatest(p.position, l.position, v.position) AS position
FROM listed AS p
FULL JOIN of_lines AS l USING (product_id)
LEFT JOIN of_reviews AS v USING (product_id)
ORDER BY product_id
