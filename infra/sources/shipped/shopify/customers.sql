-- Where an order goes: to the address for shipping, or where there is none, as for what is downloaded, to that of the
-- bill. The person is who has the address for letters; or the telephone, or nobody but the order. Before digits that a
-- spreadsheet would take for a number the shop writes an apostrophe.
WITH addressed AS (
    SELECT
        line,
        "Name" AS name,
        coalesce(
            nullif(lower(trim("Email")), ''),
            'phone ' || nullif(regexp_replace("Phone", '[^0-9]', '', 'g'), ''),
            'order ' || "Name"
        ) AS person,
        CASE
            WHEN coalesce("Shipping Zip", "Shipping City", "Shipping Province") IS NULL
            THEN [
                "Billing Country",
                regexp_replace("Billing Zip", '['' .]', '', 'g'),
                "Billing City",
                "Billing Province"
            ]
            ELSE [
                "Shipping Country",
                regexp_replace("Shipping Zip", '['' .]', '', 'g'),
                "Shipping City",
                "Shipping Province"
            ]
        END AS place
    FROM export
    WHERE "Total" IS NOT NULL
), placed AS (
    SELECT
        line,
        name,
        person,
        nullif(place[1], 'BR') AS abroad,
        nullif(place[2], '') AS postcode,
        place[3] AS city,
        place[4] AS state
    FROM addressed
)
SELECT
    min(line) AS line,
    id('alias', name) AS customer_id,
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
GROUP BY name, person, abroad, postcode, city, state
