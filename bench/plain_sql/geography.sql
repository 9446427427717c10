-- fulfillment.dim_geography: R27, R28. The samples of a prefix are sorted once for each of the four figures, in memory.

CREATE TABLE fulfillment.dim_geography AS
WITH inside AS (
    SELECT lpad(geolocation_zip_code_prefix, 5, '0') COLLATE "C" AS zip_prefix, geolocation_lat AS latitude,
        geolocation_lng AS longitude, geolocation_city AS city, geolocation_state AS state
    FROM staging.geolocation
    WHERE geolocation_lat BETWEEN -33.76 AND 5.28 AND geolocation_lng BETWEEN -74.00 AND -28.84
), surveyed AS (
    SELECT zip_prefix,
        mode() WITHIN GROUP (ORDER BY city) AS city,
        mode() WITHIN GROUP (ORDER BY state) AS state,
        array_agg(latitude ORDER BY latitude) AS by_latitude,
        array_agg(longitude ORDER BY longitude) AS by_longitude,
        count(*)::int AS samples
    FROM inside
    GROUP BY zip_prefix
)
SELECT zip_prefix, city, state, coalesce(region, 'unknown') AS region,
    (by_latitude[(samples + 1) / 2] + by_latitude[samples / 2 + 1]) / 2 AS latitude,
    (by_longitude[(samples + 1) / 2] + by_longitude[samples / 2 + 1]) / 2 AS longitude,
    samples, 0::bigint AS position
FROM surveyed
LEFT JOIN staging.region USING (state);
INSERT INTO fulfillment.dim_geography
VALUES ('unknown', 'unknown', 'unknown', 'unknown', NULL, NULL, 0, 0);
ALTER TABLE fulfillment.dim_geography ADD PRIMARY KEY (zip_prefix);
