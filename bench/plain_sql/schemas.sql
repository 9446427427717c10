-- The schemas, and the regions of the IBGE (R11).

CREATE SCHEMA staging;
CREATE SCHEMA sales;
CREATE SCHEMA fulfillment;
CREATE SCHEMA customer;
CREATE SCHEMA marketplace;

CREATE TABLE staging.region (state text COLLATE "C" PRIMARY KEY, region text NOT NULL);
INSERT INTO staging.region
SELECT unnest(string_to_array(states, ' ')), region
FROM (VALUES
    ('North', 'AC AM AP PA RO RR TO'),
    ('Northeast', 'AL BA CE MA PB PE PI RN SE'),
    ('Central-West', 'DF GO MS MT'),
    ('Southeast', 'ES MG RJ SP'),
    ('South', 'PR RS SC')
) AS regions (region, states);
ANALYZE staging.region;
