-- comment = "The lines of the orders, with category, places, and what their order is"
-- key = ["order_id", "item_no"]
-- [columns]
-- order_id = "the order"
-- item_no = "number of the line in its order"
-- product_id = "what was sold"
-- seller_id = "by whom; null where nobody knows"
-- customer_id = "to whom"
-- status = "status of the order"
-- placed_at = "when the order was placed"
-- placed_on = "the date of that"
-- month_no = "months since year 0"
-- month = "year and month, as in 2017-11"
-- is_delivered = "the order is delivered"
-- is_lost = "the order is canceled or unavailable"
-- is_valid = "the order is not lost"
-- is_delivery = "the order is delivered, at a known time"
-- price = "price in BRL"
-- freight = "freight in BRL"
-- total = "price and freight"
-- category = "English name of the product's category, else the Portuguese one, else unknown"
-- state = "state of the order"
-- region = "region of the order"
-- seller_state = "state of the seller"
-- seller_region = "region of the seller"
-- ship_by = "until when the seller had to hand it over; null where nobody knows"
-- position = "newest event that went in"

-- query:
SELECT
    i.order_id,
    i.item_no,
    i.product_id,
    nullif(i.seller_id, '00000000-0000-0000-0000-000000000000') AS seller_id,
    o.customer_id,
    o.status,
    o.placed_at,
    o.placed_on,
    o.month_no,
    o.month,
    o.is_delivered,
    o.is_lost,
    o.is_valid,
    o.is_delivery,
    i.price,
    i.freight,
    i.total,
    coalesce(p.category_english, 'unknown') AS category,
    o.state,
    o.region,
    coalesce(s.state, 'unknown') AS seller_state,
    coalesce(s.region, 'unknown') AS seller_region,
    i.ship_by,
    greatest(o.position, i.position, p.position, s.position) AS position
FROM fact_order_item AS i
JOIN orders AS o USING (order_id)
LEFT JOIN dim_product AS p ON p.product_id = i.product_id
LEFT JOIN dim_seller AS s ON s.seller_id = i.seller_id
ORDER BY o.placed_at, i.order_id, i.item_no
