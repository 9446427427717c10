-- sales: R18 to R22. Made and filled in one transaction, so that none of it is written to the WAL.

CREATE TABLE sales.fact_order AS
WITH lines AS (
    SELECT order_id, count(*)::int AS item_count,
        count(DISTINCT seller_id)::int AS seller_count,
        sum(price)::numeric(12, 2) AS price, sum(freight_value)::numeric(12, 2) AS freight
    FROM staging.order_items
    GROUP BY order_id
), largest AS (
    SELECT DISTINCT ON (order_id) order_id, payment_type
    FROM staging.order_payments
    ORDER BY order_id, payment_value DESC, payment_sequential
), payments AS (
    SELECT order_id, count(*)::int AS payment_count, sum(payment_value)::numeric(12, 2) AS paid,
        max(payment_installments) AS max_installments
    FROM staging.order_payments
    GROUP BY order_id
)
SELECT
    o.order_id,
    coalesce(c.customer_unique_id, '00000000-0000-0000-0000-000000000000') AS customer_id,
    o.customer_id AS customer_alias,
    o.order_status AS status,
    o.order_purchase_timestamp AS placed_at,
    to_char(o.order_purchase_timestamp, 'YYYYMMDD')::int AS date_key,
    CASE WHEN o.order_status <> 'created' THEN o.order_approved_at END AS approved_at,
    CASE WHEN o.order_status IN ('shipped', 'delivered', 'canceled', 'unavailable')
        THEN o.order_delivered_carrier_date END AS shipped_at,
    CASE WHEN o.order_status = 'delivered' THEN o.order_delivered_customer_date END AS completed_at,
    o.order_estimated_delivery_date AS promised_by,
    coalesce(l.item_count, 0) AS item_count,
    coalesce(l.seller_count, 0) AS seller_count,
    coalesce(l.price, 0.00)::numeric(12, 2) AS price,
    coalesce(l.freight, 0.00)::numeric(12, 2) AS freight,
    coalesce(l.price + l.freight, 0.00)::numeric(12, 2) AS total,
    coalesce(p.paid, 0.00)::numeric(12, 2) AS paid,
    coalesce(p.payment_count, 0) AS payment_count,
    p.max_installments,
    coalesce(m.payment_type, 'unknown') AS payment_method,
    coalesce(p.paid > 0 AND p.paid >= coalesce(l.price + l.freight, 0), false) AS is_paid,
    0::bigint AS position
FROM staging.orders AS o
LEFT JOIN staging.customers AS c USING (customer_id)
LEFT JOIN lines AS l USING (order_id)
LEFT JOIN payments AS p USING (order_id)
LEFT JOIN largest AS m USING (order_id);
ALTER TABLE sales.fact_order ADD PRIMARY KEY (order_id);
ANALYZE sales.fact_order;

CREATE TABLE sales.fact_order_item AS
SELECT i.order_id, i.order_item_id AS item_no, i.product_id, i.seller_id, o.customer_id, o.date_key, o.status,
    i.price, i.freight_value AS freight, (i.price + i.freight_value)::numeric(12, 2) AS total,
    i.shipping_limit_date AS ship_by, 0::bigint AS position
FROM staging.order_items AS i
JOIN sales.fact_order AS o USING (order_id);
ALTER TABLE sales.fact_order_item ADD PRIMARY KEY (order_id, item_no);

CREATE TABLE sales.fact_payment AS
SELECT p.order_id, p.payment_sequential AS payment_no, p.payment_type AS method, p.payment_installments AS installments,
    p.payment_value AS amount, o.date_key, 0::bigint AS position
FROM staging.order_payments AS p
JOIN sales.fact_order AS o USING (order_id);
ALTER TABLE sales.fact_payment ADD PRIMARY KEY (order_id, payment_no);
