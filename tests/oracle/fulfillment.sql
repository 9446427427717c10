-- fulfillment: R23 to R28.

CREATE SCHEMA fulfillment;

CREATE TABLE fulfillment.fact_delivery AS
WITH first_line AS (
    SELECT order_id, seller_id
    FROM reading.order_items
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY item_no) = 1
), lateness AS (
    SELECT order_id,
        greatest(0, CAST(completed_at AS DATE) - CAST(promised_by AS DATE)) AS days_late
    FROM sales.fact_order
    WHERE completed_at IS NOT NULL AND promised_by IS NOT NULL
)
SELECT
    o.order_id,
    o.customer_id,
    o.date_key,
    CASE WHEN o.status = 'delivered' THEN 'delivered'
         WHEN o.status = 'shipped' OR o.shipped_at IS NOT NULL THEN 'dispatched'
         WHEN o.status IN ('canceled', 'unavailable') THEN 'canceled'
         ELSE 'planned' END AS status,
    o.placed_at,
    o.promised_by,
    o.shipped_at AS dispatched_at,
    o.completed_at AS delivered_at,
    TRY_CAST(to_hundredths(seconds_between(o.placed_at, o.shipped_at), 86400) AS DECIMAL(8, 2)) AS days_to_dispatch,
    TRY_CAST(to_hundredths(seconds_between(o.placed_at, o.completed_at), 86400) AS DECIMAL(8, 2)) AS days_to_deliver,
    CAST(late.days_late AS INTEGER) AS days_late,
    late.days_late > 0 AS is_late,
    o.completed_at > o.promised_by AS is_past_estimate,
    coalesce(destination.zip_prefix, 'unknown') AS destination_zip,
    coalesce(origin.zip_prefix, 'unknown') AS origin_zip
FROM sales.fact_order AS o
LEFT JOIN lateness AS late USING (order_id)
LEFT JOIN reading.customers AS destination USING (customer_alias)
LEFT JOIN first_line USING (order_id)
LEFT JOIN reading.sellers AS origin ON origin.seller_id = first_line.seller_id;

CREATE TABLE fulfillment.dim_geography AS
WITH latitudes AS (
    SELECT zip_prefix, latitude,
        row_number() OVER (PARTITION BY zip_prefix ORDER BY latitude) AS place,
        count(*) OVER (PARTITION BY zip_prefix) AS samples
    FROM reading.geolocation
), longitudes AS (
    SELECT zip_prefix, longitude,
        row_number() OVER (PARTITION BY zip_prefix ORDER BY longitude) AS place,
        count(*) OVER (PARTITION BY zip_prefix) AS samples
    FROM reading.geolocation
), median_latitude AS (
    -- The two middle places are one and the same where the number is odd.
    SELECT zip_prefix, (min(latitude) + max(latitude)) / 2 AS latitude, any_value(samples) AS samples
    FROM latitudes
    WHERE place IN ((samples + 1) // 2, samples // 2 + 1)
    GROUP BY zip_prefix
), median_longitude AS (
    SELECT zip_prefix, (min(longitude) + max(longitude)) / 2 AS longitude
    FROM longitudes
    WHERE place IN ((samples + 1) // 2, samples // 2 + 1)
    GROUP BY zip_prefix
), commonest_city AS (
    SELECT zip_prefix, city
    FROM reading.geolocation
    GROUP BY zip_prefix, city
    QUALIFY row_number() OVER (PARTITION BY zip_prefix ORDER BY count(*) DESC, city) = 1
), commonest_state AS (
    SELECT zip_prefix, state
    FROM reading.geolocation
    GROUP BY zip_prefix, state
    QUALIFY row_number() OVER (PARTITION BY zip_prefix ORDER BY count(*) DESC, state) = 1
)
SELECT zip_prefix, city, state, coalesce(region, 'unknown') AS region, latitude, longitude,
    CAST(samples AS INTEGER) AS samples
FROM median_latitude
JOIN median_longitude USING (zip_prefix)
JOIN commonest_city USING (zip_prefix)
JOIN commonest_state USING (zip_prefix)
LEFT JOIN reading.region USING (state);
