-- comment = "The payments, with what their order is"
-- key = ["order_id", "payment_no"]
-- [columns]
-- order_id = "the order"
-- payment_no = "number of the payment in its order"
-- method = "how it was paid"
-- installments = "in how many installments, as the source says"
-- amount = "how much, in BRL"
-- is_delivered = "the order is delivered"
-- is_lost = "the order is canceled or unavailable"
-- is_valid = "the order is not lost"
-- placed_at = "when the order was placed"
-- placed_on = "the date of that"
-- position = "newest event that went in"

-- query:
SELECT
    p.order_id,
    p.payment_no,
    p.method,
    p.installments,
    p.amount,
    o.is_delivered,
    o.is_lost,
    o.is_valid,
    o.placed_at,
    o.placed_on,
    greatest(o.position, p.position) AS position
FROM fact_payment AS p
JOIN orders AS o USING (order_id)
ORDER BY o.placed_at, p.order_id, p.payment_no
