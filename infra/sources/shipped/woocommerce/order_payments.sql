-- What was paid for an order and not given back; nothing of one that waits for its payment, was canceled or failed.
SELECT
    min(line) AS line,
    id('order', order_id) AS order_id,
    1 AS payment_sequential,
    coalesce(payment_method, 'not_defined') AS payment_type,
    1 AS payment_installments,
    coalesce(
        CAST(
            CAST(amount(order_total) AS DECIMAL(18, 2)) - CAST(amount(coalesce(refunded_total, '0')) AS DECIMAL(18, 2))
            AS VARCHAR
        ),
        concat_ws(' - ', order_total, refunded_total)
    ) AS payment_value
FROM export
WHERE coalesce(status, '') NOT IN ('pending', 'on-hold', 'cancelled', 'failed')
GROUP BY order_id, payment_method, order_total, refunded_total
