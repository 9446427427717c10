-- What was paid for an order and not given back; nothing of one that waits for its payment or lost it.
SELECT
    min(line) AS line,
    id('order', "Name") AS order_id,
    1 AS payment_sequential,
    coalesce("Payment Method", 'not_defined') AS payment_type,
    1 AS payment_installments,
    coalesce(
        CAST(
            CAST(amount("Total") AS DECIMAL(18, 2))
            - CAST(amount(coalesce("Refunded Amount", '0')) AS DECIMAL(18, 2))
            - CASE
                WHEN "Financial Status" = 'partially_paid'
                THEN CAST(amount(coalesce("Outstanding Balance", '0')) AS DECIMAL(18, 2))
                ELSE 0
            END
            AS VARCHAR
        ),
        concat_ws(' - ', "Total", "Refunded Amount", "Outstanding Balance")
    ) AS payment_value
FROM export
WHERE "Total" IS NOT NULL AND coalesce("Financial Status", '') NOT IN ('pending', 'authorized', 'voided', 'expired')
GROUP BY "Name", "Financial Status", "Payment Method", "Total", "Refunded Amount", "Outstanding Balance"
