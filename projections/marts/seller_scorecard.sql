-- comment = "Each seller, those too that only lines know: sales, deliveries, handovers, reviews; sums only, no ratios"
-- key = ["seller_id"]
-- [columns]
-- seller_id = "the seller"
-- is_registered = "whether the file of sellers has it"
-- city = "its city, normalised"
-- state = "its state"
-- region = "its region"
-- orders = "orders with a line of it"
-- valid = "those that are not lost"
-- delivered = "those with status delivered"
-- lost = "canceled or unavailable ones"
-- lines = "its lines, of all orders"
-- products = "different products of its valid lines"
-- categories = "different categories of its valid lines"
-- revenue = "price and freight of its delivered lines"
-- gmv = "price of its valid lines"
-- order_value = "price and freight of its valid lines"
-- deliveries = "its orders that were delivered at a known time"
-- late = "those delivered after the promised date; none without a promise"
-- days_late = "sum of the calendar days by which they were late"
-- handovers = "its deliveries whose time of handover is known"
-- on_time = "those handed over no later than the latest date its lines had to be; none where nobody knows that"
-- handover_seconds = "sum of the times from placing to handover, of its deliveries"
-- first_sale = "first date of a valid order"
-- last_sale = "last date of a valid order"
-- reviews = "reviews of its orders"
-- score_sum = "sum of their scores"
-- positive = "those with score 4 or 5"
-- negative = "those with score 1 or 2"
-- position = "newest event that went in"

-- query:
WITH sold AS (  -- an order counts once for a seller; what it had to ship last counts
    SELECT seller_id, order_id, max(ship_by) AS ship_by FROM lines WHERE seller_id IS NOT NULL GROUP BY seller_id, order_id
), of_orders AS (
    SELECT
        s.seller_id,
        count(*) AS orders,
        count(*) FILTER (WHERE o.is_valid) AS valid,
        count(*) FILTER (WHERE o.is_delivered) AS delivered,
        count(*) FILTER (WHERE o.is_lost) AS lost,
        count(*) FILTER (WHERE o.is_delivery) AS deliveries,
        count(*) FILTER (WHERE o.days_late > 0) AS late,
        sum(o.days_late) AS days_late,
        count(o.shipped_at) FILTER (WHERE o.is_delivery) AS handovers,
        count(*) FILTER (WHERE o.is_delivery AND o.shipped_at <= s.ship_by) AS on_time,
        sum(extract(epoch FROM o.shipped_at - o.placed_at)::bigint) FILTER (WHERE o.is_delivery) AS handover_seconds,
        min(o.placed_on) FILTER (WHERE o.is_valid) AS first_sale,
        max(o.placed_on) FILTER (WHERE o.is_valid) AS last_sale,
        max(o.position) AS position
    FROM sold AS s JOIN orders AS o USING (order_id)
    GROUP BY s.seller_id
), of_lines AS (
    SELECT
        seller_id,
        count(*) AS lines,
        count(DISTINCT product_id) FILTER (WHERE is_valid) AS products,
        count(DISTINCT category) FILTER (WHERE is_valid) AS categories,
        sum(total) FILTER (WHERE is_delivered) AS revenue,
        sum(price) FILTER (WHERE is_valid) AS gmv,
        sum(total) FILTER (WHERE is_valid) AS order_value,
        max(position) AS position
    FROM lines
    WHERE seller_id IS NOT NULL
    GROUP BY seller_id
), of_reviews AS (
    SELECT
        s.seller_id,
        count(*) AS reviews,
        sum(v.score) AS score_sum,
        count(*) FILTER (WHERE v.score >= 4) AS positive,
        count(*) FILTER (WHERE v.score <= 2) AS negative,
        max(v.position) AS position
    FROM sold AS s JOIN reviews AS v USING (order_id)
    GROUP BY s.seller_id
), registered AS (
    SELECT seller_id, city_normalised, state, region, position
    FROM dim_seller
    WHERE seller_id <> '00000000-0000-0000-0000-000000000000'
)
SELECT
    seller_id,
    r.seller_id IS NOT NULL AS is_registered,
    coalesce(r.city_normalised, 'unknown') AS city,
    coalesce(r.state, 'unknown') AS state,
    coalesce(r.region, 'unknown') AS region,
    coalesce(o.orders, 0)::int AS orders,
    coalesce(o.valid, 0)::int AS valid,
    coalesce(o.delivered, 0)::int AS delivered,
    coalesce(o.lost, 0)::int AS lost,
    coalesce(l.lines, 0)::int AS lines,
    coalesce(l.products, 0)::int AS products,
    coalesce(l.categories, 0)::int AS categories,
    coalesce(l.revenue, 0)::numeric(14, 2) AS revenue,
    coalesce(l.gmv, 0)::numeric(14, 2) AS gmv,
    coalesce(l.order_value, 0)::numeric(14, 2) AS order_value,
    coalesce(o.deliveries, 0)::int AS deliveries,
    coalesce(o.late, 0)::int AS late,
    coalesce(o.days_late, 0)::bigint AS days_late,
    coalesce(o.handovers, 0)::int AS handovers,
    coalesce(o.on_time, 0)::int AS on_time,
    coalesce(o.handover_seconds, 0)::bigint AS handover_seconds,
    o.first_sale,
    o.last_sale,
    coalesce(v.reviews, 0)::int AS reviews,
    coalesce(v.score_sum, 0)::int AS score_sum,
    coalesce(v.positive, 0)::int AS positive,
    coalesce(v.negative, 0)::int AS negative,
    greatest(r.position, o.position, l.position, v.position) AS position
FROM registered AS r
FULL JOIN of_lines AS l USING (seller_id)
LEFT JOIN of_orders AS o USING (seller_id)
LEFT JOIN of_reviews AS v USING (seller_id)
ORDER BY seller_id
