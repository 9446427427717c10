-- fulfillment.fact_delivery: R23 to R26, from the orders that sales.sql made.

CREATE TABLE fulfillment.fact_delivery AS
WITH first_line AS (
    SELECT DISTINCT ON (order_id) order_id, seller_id
    FROM staging.order_items
    ORDER BY order_id, order_item_id
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
    round(extract(epoch FROM o.shipped_at - o.placed_at) / 86400, 2)::numeric(8, 2) AS days_to_dispatch,
    round(extract(epoch FROM o.completed_at - o.placed_at) / 86400, 2)::numeric(8, 2) AS days_to_deliver,
    CASE WHEN o.completed_at IS NOT NULL THEN greatest(0, o.completed_at::date - o.promised_by::date) END AS days_late,
    o.completed_at::date > o.promised_by::date AS is_late,
    o.completed_at > o.promised_by AS is_past_estimate,
    coalesce(lpad(c.customer_zip_code_prefix, 5, '0'), 'unknown') AS destination_zip,
    coalesce(lpad(s.seller_zip_code_prefix, 5, '0'), 'unknown') AS origin_zip,
    0::bigint AS position
FROM sales.fact_order AS o
LEFT JOIN staging.customers AS c ON c.customer_id = o.customer_alias
LEFT JOIN first_line AS f USING (order_id)
LEFT JOIN staging.sellers AS s USING (seller_id);
ALTER TABLE fulfillment.fact_delivery ADD PRIMARY KEY (order_id);
