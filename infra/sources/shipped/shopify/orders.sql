-- What is of the whole order stands on its first row. Of its status the word that tells most: that it was canceled, or its
-- money lost or given back; else what was sent of it; else what was paid.
WITH told AS (
    SELECT
        line,
        "Name" AS name,
        CASE
            WHEN "Cancelled at" IS NOT NULL THEN 'cancelled'
            WHEN "Financial Status" IN ('voided', 'expired', 'refunded') THEN "Financial Status"
            WHEN coalesce("Fulfillment Status", 'unfulfilled') IN ('unfulfilled', 'pending', 'restocked')
                THEN "Financial Status"
            ELSE "Fulfillment Status"
        END AS status,
        "Created at" AS placed,
        "Paid at" AS paid,
        "Fulfilled at" AS sent
    FROM export
    WHERE "Total" IS NOT NULL
)
SELECT
    min(line) AS line,
    id('order', name) AS order_id,
    id('alias', name) AS customer_id,
    status AS order_status,
    placed AS order_purchase_timestamp,
    paid AS order_approved_at,
    sent AS order_delivered_carrier_date
FROM told
GROUP BY name, status, placed, paid, sent
