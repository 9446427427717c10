-- comment = "The orders, one row each, with what the questions call theirs: place, value, delivery, distance, whose n-th order"
-- key = ["order_id"]
-- personal = ["zip", "city", "distance_km"]
-- [columns]
-- order_id = "the order"
-- customer_id = "the person; the zero UUID where the extract has no customer row"
-- status = "the source's word"
-- placed_at = "when it was placed"
-- placed_on = "the date of that"
-- month_no = "months since year 0, to calculate with"
-- month = "year and month, as in 2017-11"
-- approved_at = "when its payment was approved"
-- shipped_at = "when the carrier had it"
-- delivered_at = "when the customer had it; of deliveries only"
-- promised_by = "until when delivery was promised; null where nobody knows"
-- is_delivered = "status delivered"
-- is_lost = "canceled or unavailable"
-- is_valid = "not lost"
-- is_delivery = "delivered, at a known time"
-- item_count = "lines"
-- seller_count = "different sellers of its lines; null where one of them is unknown"
-- price = "sum of its lines' prices; null without lines"
-- freight = "sum of its lines' freight; null without lines"
-- value = "price and freight; null without lines"
-- paid = "sum of its payments"
-- payment_count = "payments"
-- method = "method of the largest payment"
-- max_installments = "most installments of a payment; null without payments"
-- zip = "zip prefix of the order's own customer row"
-- city = "city of that row, normalised"
-- state = "state of that row"
-- region = "region of that state"
-- delivery_seconds = "from placing to delivery; of deliveries only"
-- days_late = "calendar days after the promised date, 0 in time; of deliveries with a promise only"
-- first_seller_id = "seller of the line with the lowest number; null where nobody knows"
-- first_product_id = "product of that line"
-- origin_state = "state of that seller; null without lines"
-- origin_region = "region of that seller; null without lines"
-- ship_by = "until when the last of its lines had to be handed over; null where nobody knows"
-- distance_km = "from that seller's zip prefix to the order's, along the great circle; null unless both are known"
-- order_no = "1 for the person's first valid order, by time and id; null if lost"
-- position = "newest event that went in"

-- query:
WITH placed AS (  -- with what the person's address was then, and of rows of one moment the order's own
    SELECT DISTINCT ON (o.order_id)
        o.order_id,
        o.customer_id,
        o.status,
        o.placed_at,
        o.approved_at,
        o.shipped_at,
        o.promised_by,
        o.item_count,
        o.seller_count,
        o.price,
        o.freight,
        o.total,
        o.paid,
        o.payment_count,
        o.payment_method,
        o.max_installments,
        o.position,
        d.delivered_at,
        d.position AS delivery_position,
        a.zip_prefix,
        a.city,
        a.state,
        a.position AS address_position
    FROM fact_order AS o
    LEFT JOIN fact_delivery AS d USING (order_id)
    LEFT JOIN address_history AS a
        ON a.customer_id = o.customer_id AND d.order_id IS NOT NULL AND (a.valid_from IS NULL OR a.valid_from <= o.placed_at)
    ORDER BY o.order_id, (a.zip_prefix = d.destination_zip) IS TRUE DESC, a.valid_from DESC NULLS LAST, a.seq DESC
), named_city AS MATERIALIZED (  -- each once, and not for each order again
    SELECT city, read_model.normalised(city) AS normalised
    FROM (SELECT DISTINCT city FROM address_history WHERE city IS NOT NULL) AS cities
), region (state, region) AS (
    VALUES ('AC', 'North'), ('AM', 'North'), ('AP', 'North'), ('PA', 'North'), ('RO', 'North'), ('RR', 'North'),
        ('TO', 'North'), ('AL', 'Northeast'), ('BA', 'Northeast'), ('CE', 'Northeast'), ('MA', 'Northeast'),
        ('PB', 'Northeast'), ('PE', 'Northeast'), ('PI', 'Northeast'), ('RN', 'Northeast'), ('SE', 'Northeast'),
        ('DF', 'Central-West'), ('GO', 'Central-West'), ('MS', 'Central-West'), ('MT', 'Central-West'),
        ('ES', 'Southeast'), ('MG', 'Southeast'), ('RJ', 'Southeast'), ('SP', 'Southeast'), ('PR', 'South'),
        ('RS', 'South'), ('SC', 'South')
), told AS (  -- one region a state, so that answers have each state once: that of most people and sellers who are there
    SELECT DISTINCT ON (state) state, region
    FROM (SELECT state, region FROM dim_customer UNION ALL SELECT state, region FROM dim_seller) AS lies
    GROUP BY state, region
    ORDER BY state, region = 'unknown', count(*) DESC, region COLLATE "C"
), of_lines AS (  -- the first line of each order, and what is said of all
    SELECT DISTINCT ON (order_id)
        order_id,
        seller_id,
        product_id,
        max(ship_by) OVER of_order AS ship_by,
        bool_and(seller_id <> '00000000-0000-0000-0000-000000000000') OVER of_order AS sellers_known
    FROM fact_order_item
    WINDOW of_order AS (PARTITION BY order_id ORDER BY item_no ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ORDER BY order_id, item_no
)
SELECT
    o.order_id,
    o.customer_id,
    o.status,
    o.placed_at,
    o.placed_at::date AS placed_on,
    (extract(year FROM o.placed_at) * 12 + extract(month FROM o.placed_at) - 1)::int AS month_no,
    to_char(o.placed_at, 'YYYY-MM') AS month,
    o.approved_at,
    o.shipped_at,
    CASE WHEN known.delivery THEN o.delivered_at END AS delivered_at,
    o.promised_by,
    o.status = 'delivered' AS is_delivered,
    known.lost AS is_lost,
    NOT known.lost AS is_valid,
    known.delivery AS is_delivery,
    o.item_count,
    CASE WHEN f.sellers_known IS NOT FALSE THEN o.seller_count END AS seller_count,
    CASE WHEN o.item_count > 0 THEN o.price END AS price,
    CASE WHEN o.item_count > 0 THEN o.freight END AS freight,
    CASE WHEN o.item_count > 0 THEN o.total END AS value,
    o.paid,
    o.payment_count,
    o.payment_method AS method,
    o.max_installments,
    o.zip_prefix AS zip,
    coalesce(c.normalised, 'unknown') AS city,
    coalesce(o.state, 'unknown') AS state,
    coalesce(t.region, r.region, 'unknown') AS region,
    CASE WHEN known.delivery THEN extract(epoch FROM o.delivered_at - o.placed_at)::bigint END AS delivery_seconds,
    CASE WHEN known.delivery AND o.promised_by IS NOT NULL
        THEN greatest(o.delivered_at::date - o.promised_by::date, 0)
    END AS days_late,
    nullif(f.seller_id, '00000000-0000-0000-0000-000000000000') AS first_seller_id,
    f.product_id AS first_product_id,
    CASE WHEN f.order_id IS NOT NULL THEN coalesce(s.state, 'unknown') END AS origin_state,
    CASE WHEN f.order_id IS NOT NULL THEN coalesce(s.region, 'unknown') END AS origin_region,
    f.ship_by,
    12742 * asin(sqrt(CASE WHEN half_chord > 1 THEN 1 ELSE half_chord END)) AS distance_km,
    CASE WHEN NOT known.lost
        THEN row_number() OVER (PARTITION BY o.customer_id, known.lost ORDER BY o.placed_at, o.order_id)
    END::int AS order_no,
    greatest(o.position, o.delivery_position, o.address_position, s.position, g.position, own.position) AS position
FROM placed AS o
CROSS JOIN LATERAL (
    SELECT o.status IN ('canceled', 'unavailable'), o.status = 'delivered' AND o.delivered_at IS NOT NULL
) AS known (lost, delivery)
LEFT JOIN named_city AS c ON c.city = o.city
LEFT JOIN region AS r ON r.state = o.state
LEFT JOIN told AS t ON t.state = o.state
LEFT JOIN of_lines AS f USING (order_id)
LEFT JOIN dim_seller AS s ON s.seller_id = f.seller_id
LEFT JOIN dim_geography AS g ON g.zip_prefix = s.zip_prefix
LEFT JOIN dim_geography AS own ON own.zip_prefix = o.zip_prefix
CROSS JOIN LATERAL (
    SELECT power(sin(radians(own.latitude - g.latitude) / 2), 2)
        + cos(radians(g.latitude)) * cos(radians(own.latitude)) * power(sin(radians(own.longitude - g.longitude) / 2), 2)
) AS haversine (half_chord)
ORDER BY o.placed_at, o.order_id
