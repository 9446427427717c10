-- Where an order goes: to the address for shipping, or where there is none, as for what is downloaded, to that of the
-- bill. The person is who has the address for letters; or the user of the shop, the telephone, or nobody but the order.
WITH addressed AS (
    SELECT
        line,
        order_id,
        coalesce(
            lower(trim(billing_email)),
            'user ' || nullif(customer_id, '0'),
            'phone ' || nullif(regexp_replace(billing_phone, '[^0-9]', '', 'g'), ''),
            'order ' || order_id
        ) AS person,
        CASE
            WHEN coalesce(shipping_postcode, shipping_city, shipping_state) IS NULL
            THEN [regexp_replace(billing_postcode, '[ .]', '', 'g'), billing_city, billing_state]
            ELSE [regexp_replace(shipping_postcode, '[ .]', '', 'g'), shipping_city, shipping_state]
        END AS place
    FROM export
)
SELECT
    min(line) AS line,
    id('alias', order_id) AS customer_id,
    person_id(person) AS customer_unique_id,
    CASE
        WHEN regexp_full_match(place[1], '[0-9]{1,5}-[0-9]{3}|[0-9]{7,8}')
        THEN left(lpad(replace(place[1], '-', ''), 8, '0'), 5)
        ELSE place[1]
    END AS customer_zip_code_prefix,
    place[2] AS customer_city,
    place[3] AS customer_state
FROM addressed
GROUP BY order_id, person, place
