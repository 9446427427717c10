-- sales: R18 to R22.

CREATE SCHEMA sales;

CREATE TABLE sales.fact_order AS
WITH line_totals AS (
    SELECT order_id, count(*) AS item_count,
        count(DISTINCT seller_id) FILTER (seller_id <> CAST('00000000-0000-0000-0000-000000000000' AS UUID)) AS seller_count,
        sum(price) AS price, sum(freight) AS freight
    FROM reading.order_items
    GROUP BY order_id
), payment_totals AS (
    SELECT order_id, count(*) AS payment_count, sum(amount) AS paid, max(installments) AS max_installments
    FROM reading.order_payments
    GROUP BY order_id
), largest_payment AS (
    SELECT order_id, method
    FROM reading.order_payments
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY amount DESC, payment_no) = 1
)
SELECT
    o.order_id,
    coalesce(c.customer_id, CAST('00000000-0000-0000-0000-000000000000' AS UUID)) AS customer_id,
    o.customer_alias,
    o.status,
    o.placed_at,
    date_key_of(o.placed_at) AS date_key,
    CASE WHEN o.status <> 'created' THEN o.approved_at END AS approved_at,
    CASE WHEN o.status IN ('shipped', 'delivered', 'canceled', 'unavailable') THEN o.carrier_at END AS shipped_at,
    CASE WHEN o.status = 'delivered' THEN o.delivered_at END AS completed_at,
    o.promised_by,
    CAST(coalesce(l.item_count, 0) AS INTEGER) AS item_count,
    CAST(coalesce(l.seller_count, 0) AS INTEGER) AS seller_count,
    CAST(coalesce(l.price, 0) AS DECIMAL(12, 2)) AS price,
    CAST(coalesce(l.freight, 0) AS DECIMAL(12, 2)) AS freight,
    CAST(coalesce(l.price + l.freight, 0) AS DECIMAL(12, 2)) AS total,
    CAST(coalesce(p.paid, 0) AS DECIMAL(12, 2)) AS paid,
    CAST(coalesce(p.payment_count, 0) AS INTEGER) AS payment_count,
    CAST(p.max_installments AS INTEGER) AS max_installments,
    coalesce(m.method, 'unknown') AS payment_method,
    coalesce(p.paid, 0) > 0 AND coalesce(p.paid, 0) >= coalesce(l.price + l.freight, 0) AS is_paid
FROM reading.orders AS o
LEFT JOIN reading.customers AS c USING (customer_alias)
LEFT JOIN line_totals AS l USING (order_id)
LEFT JOIN payment_totals AS p USING (order_id)
LEFT JOIN largest_payment AS m USING (order_id);

CREATE TABLE sales.fact_order_item AS
SELECT i.order_id, i.item_no, i.product_id, i.seller_id, o.customer_id, o.date_key, o.status,
    i.price, i.freight, CAST(i.price + i.freight AS DECIMAL(12, 2)) AS total, i.ship_by
FROM reading.order_items AS i
JOIN sales.fact_order AS o USING (order_id);

CREATE TABLE sales.fact_payment AS
SELECT p.order_id, p.payment_no, p.method, p.installments, p.amount, o.date_key
FROM reading.order_payments AS p
JOIN sales.fact_order AS o USING (order_id);
