-- Where an order goes: to the address for shipping, or where there is none, as for what is downloaded, to that of the
-- bill. The person is who has the address for letters; or the user of the shop, the telephone, or nobody but the order.
WITH addressed AS (
    SELECT
        line,
        order_id,
        coalesce(
            nullif(lower(trim(billing_email)), ''),
            'user ' || nullif(customer_id, '0'),
            'phone ' || nullif(regexp_replace(billing_phone, '[^0-9]', '', 'g'), ''),
            'order ' || order_id
        ) AS person,
        CASE
            WHEN coalesce(shipping_postcode, shipping_city, shipping_state) IS NULL
            THEN [billing_country, regexp_replace(billing_postcode, '[ .]', '', 'g'), billing_city, billing_state]
            ELSE [shipping_country, regexp_replace(shipping_postcode, '[ .]', '', 'g'), shipping_city, shipping_state]
        END AS place
    FROM export
), placed AS (
    SELECT
        line,
        order_id,
        person,
        nullif(place[1], 'BR') AS abroad,
        place[2] AS postcode,
        place[3] AS city,
        place[4] AS state
    FROM addressed
)
SELECT
    min(line) AS line,
    id('alias', order_id) AS customer_id,
    person_id(person) AS customer_unique_id,
    CASE
        WHEN abroad = 'US' THEN concat_ws(' ', abroad, left(postcode, 5)) -- the rest is a delivery route
        WHEN abroad IS NOT NULL THEN left(concat_ws(' ', abroad, replace(postcode, '-', '')), 10)
        WHEN regexp_full_match(postcode, '[0-9]{1,5}-[0-9]{3}|[0-9]{7,8}')
        THEN left(lpad(replace(postcode, '-', ''), 8, '0'), 5)
        ELSE coalesce(postcode, 'unknown')
    END AS customer_zip_code_prefix,
    coalesce(city, 'unknown') AS customer_city,
    coalesce(nullif(concat_ws('-', abroad, state), ''), 'unknown') AS customer_state
FROM placed
GROUP BY order_id, person, abroad, postcode, city, state
