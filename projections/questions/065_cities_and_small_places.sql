-- number = 65
-- group = "Regional Performance"
-- title = "How does business split between cities and small places?"
-- columns = "place_class* cities# customers# orders# orders_share_pct avg_order_value avg_delivery_days late_pct"
-- key = ["place_class"]
-- chart = { kind = "bar", x = "place_class", y = ["orders_share_pct"] }
-- finding = [
--   "{is(small place).orders_share_pct} of the orders come from {is(small place).cities} small [place|places] and {is(metropolis).orders_share_pct} from {is(metropolis).cities} [metropolis|metropolises]; a delivery takes {is(small place).avg_delivery_days} days to the ones and {is(metropolis).avg_delivery_days} to the others.",
--   "{is(small place).orders_share_pct} of the orders come from {is(small place).cities} small [place|places] and {is(metropolis).orders_share_pct} from {is(metropolis).cities} [metropolis|metropolises].",
-- ]
-- definition = """
-- Valid orders by class of city + state: metropolis (listed in 66), other capital (of a state), larger city (at least
-- 0.1 % of valid orders), small place.
-- """
-- caveat = "No rural flag in the data; order counts stand for size."
-- terms = ["delivered, lost, valid", "value, paid", "customer, first order", "state, region, city of an order", "delivery, late"]
-- [made_of]
-- orders_share_pct = ["orders"]
-- avg_order_value = ["value", "valued_orders"]
-- avg_delivery_days = ["delivery_seconds", "deliveries"]
-- late_pct = ["late", "promised"]

-- answer:
WITH metropolis (city, state) AS (
    VALUES ('sao paulo', 'SP'), ('rio de janeiro', 'RJ'), ('brasilia', 'DF'), ('salvador', 'BA'), ('fortaleza', 'CE'),
        ('belo horizonte', 'MG'), ('manaus', 'AM'), ('curitiba', 'PR'), ('recife', 'PE'), ('goiania', 'GO'),
        ('belem', 'PA'), ('porto alegre', 'RS'), ('guarulhos', 'SP'), ('campinas', 'SP'), ('sao luis', 'MA'),
        ('sao goncalo', 'RJ'), ('maceio', 'AL')
), capital (city, state) AS (  -- those of states that are not among these
    VALUES ('rio branco', 'AC'), ('macapa', 'AP'), ('vitoria', 'ES'), ('cuiaba', 'MT'), ('campo grande', 'MS'),
        ('joao pessoa', 'PB'), ('teresina', 'PI'), ('natal', 'RN'), ('porto velho', 'RO'), ('boa vista', 'RR'),
        ('florianopolis', 'SC'), ('aracaju', 'SE'), ('palmas', 'TO')
), class (place, place_class) AS (
    VALUES (1, 'metropolis'), (2, 'other capital'), (3, 'larger city'), (4, 'small place')
), counted AS (
    SELECT
        city,
        state,
        count(*) AS orders,
        sum(value) AS value,
        count(value) AS valued_orders,
        sum(delivery_seconds) AS delivery_seconds,
        count(delivery_seconds) AS deliveries,
        count(days_late) AS promised,
        count(*) FILTER (WHERE days_late > 0) AS late
    FROM orders
    WHERE is_valid
    GROUP BY city, state
), classified AS (
    SELECT
        *,
        CASE WHEN (city, state) IN (SELECT city, state FROM metropolis) THEN 1
            WHEN (city, state) IN (SELECT city, state FROM capital) THEN 2
            WHEN orders * 1000 >= sum(orders) OVER () THEN 3
            ELSE 4
        END AS place
    FROM counted
), by_class AS (
    SELECT
        place,
        count(*) AS cities,
        sum(orders) AS orders,
        sum(value) / nullif(sum(valued_orders), 0) AS avg_order_value,
        sum(delivery_seconds) / (86400 * nullif(sum(deliveries), 0)) AS avg_delivery_days,
        100 * sum(late) / nullif(sum(promised), 0) AS late_pct
    FROM classified
    GROUP BY place
), buying AS (
    SELECT place, count(DISTINCT customer_id) AS customers
    FROM classified JOIN orders USING (city, state)
    WHERE is_valid
    GROUP BY place
)
SELECT
    place_class,
    coalesce(cities, 0)::int AS cities,
    coalesce(customers, 0)::int AS customers,
    coalesce(orders, 0)::int AS orders,
    round(coalesce(100 * orders / sum(orders) OVER (), 0), 2) AS orders_share_pct,
    round(avg_order_value, 2) AS avg_order_value,
    round(avg_delivery_days, 2) AS avg_delivery_days,
    round(late_pct, 2) AS late_pct
FROM class LEFT JOIN by_class USING (place) LEFT JOIN buying USING (place)
ORDER BY place

-- rows:
WITH metropolis (city, state) AS (
    VALUES ('sao paulo', 'SP'), ('rio de janeiro', 'RJ'), ('brasilia', 'DF'), ('salvador', 'BA'), ('fortaleza', 'CE'),
        ('belo horizonte', 'MG'), ('manaus', 'AM'), ('curitiba', 'PR'), ('recife', 'PE'), ('goiania', 'GO'),
        ('belem', 'PA'), ('porto alegre', 'RS'), ('guarulhos', 'SP'), ('campinas', 'SP'), ('sao luis', 'MA'),
        ('sao goncalo', 'RJ'), ('maceio', 'AL')
), capital (city, state) AS (  -- those of states that are not among these
    VALUES ('rio branco', 'AC'), ('macapa', 'AP'), ('vitoria', 'ES'), ('cuiaba', 'MT'), ('campo grande', 'MS'),
        ('joao pessoa', 'PB'), ('teresina', 'PI'), ('natal', 'RN'), ('porto velho', 'RO'), ('boa vista', 'RR'),
        ('florianopolis', 'SC'), ('aracaju', 'SE'), ('palmas', 'TO')
), class (place, place_class) AS (
    VALUES (1, 'metropolis'), (2, 'other capital'), (3, 'larger city'), (4, 'small place')
), classified AS (
    SELECT
        city,
        state,
        CASE WHEN (city, state) IN (SELECT city, state FROM metropolis) THEN 1
            WHEN (city, state) IN (SELECT city, state FROM capital) THEN 2
            WHEN count(*) * 1000 >= sum(count(*)) OVER () THEN 3
            ELSE 4
        END AS place
    FROM orders
    WHERE is_valid
    GROUP BY city, state
), placed AS (
    SELECT
        place_class,
        city,
        state,
        customer_id,
        order_id,
        value,
        is_delivery,
        delivery_seconds,
        days_late
    FROM classified JOIN class USING (place) JOIN orders USING (city, state)
    WHERE is_valid
)
SELECT place_class, 'cities' AS measure, 'city' AS "table", city || '/' || state AS key, 1::numeric AS part
FROM placed
GROUP BY place_class, city, state
UNION ALL
SELECT place_class, 'customers', 'customer.dim_customer', customer_id::text, 1
FROM placed
GROUP BY place_class, customer_id
UNION ALL
SELECT place_class, measure, "table", order_id::text, part
FROM placed
CROSS JOIN LATERAL (
    VALUES
        ('orders', 'sales.fact_order', 1),
        ('valued_orders', 'sales.fact_order', (value IS NOT NULL)::int),
        ('value', 'sales.fact_order', value),
        ('deliveries', 'fulfillment.fact_delivery', is_delivery::int),
        ('delivery_seconds', 'fulfillment.fact_delivery', delivery_seconds),
        ('promised', 'fulfillment.fact_delivery', (days_late IS NOT NULL)::int),
        ('late', 'fulfillment.fact_delivery', (days_late > 0)::int)
) AS figure (measure, "table", part)
WHERE part <> 0
