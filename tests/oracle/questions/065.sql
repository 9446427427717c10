-- Valid orders by the class of their city. A larger city has a thousandth of them.
WITH metropolises (city, state) AS (
    VALUES ('sao paulo', 'SP'), ('rio de janeiro', 'RJ'), ('brasilia', 'DF'), ('salvador', 'BA'), ('fortaleza', 'CE'),
        ('belo horizonte', 'MG'), ('manaus', 'AM'), ('curitiba', 'PR'), ('recife', 'PE'), ('goiania', 'GO'),
        ('belem', 'PA'), ('porto alegre', 'RS'), ('guarulhos', 'SP'), ('campinas', 'SP'), ('sao luis', 'MA'),
        ('sao goncalo', 'RJ'), ('maceio', 'AL')
), other_capitals (city, state) AS (
    VALUES ('rio branco', 'AC'), ('macapa', 'AP'), ('vitoria', 'ES'), ('cuiaba', 'MT'), ('campo grande', 'MS'),
        ('joao pessoa', 'PB'), ('teresina', 'PI'), ('natal', 'RN'), ('porto velho', 'RO'), ('boa vista', 'RR'),
        ('florianopolis', 'SC'), ('aracaju', 'SE'), ('palmas', 'TO')
), valid_orders AS (
    SELECT * FROM q.orders WHERE is_valid
), cities AS (
    SELECT city, state,
        CASE WHEN (city, state) IN (FROM metropolises) THEN 'metropolis'
             WHEN (city, state) IN (FROM other_capitals) THEN 'other capital'
             WHEN 1000 * count(*) >= (SELECT count(*) FROM valid_orders) THEN 'larger city'
             ELSE 'small place' END AS place_class
    FROM valid_orders
    GROUP BY city, state
), classes (place, place_class) AS (
    VALUES (1, 'metropolis'), (2, 'other capital'), (3, 'larger city'), (4, 'small place')
)
SELECT place_class,
    CAST(count(DISTINCT (city, state)) FILTER (order_id IS NOT NULL) AS INTEGER) AS cities,
    CAST(count(DISTINCT customer_id) AS INTEGER) AS customers,
    CAST(count(order_id) AS INTEGER) AS orders,
    coalesce(q_pct(count(order_id), (SELECT count(*) FROM valid_orders)), 0) AS orders_share_pct,
    q_mean(value) AS avg_order_value,
    q_mean_days(delivery_seconds) AS avg_delivery_days,
    q_late_pct(days_late) AS late_pct
FROM classes LEFT JOIN cities USING (place_class) LEFT JOIN valid_orders USING (city, state)
GROUP BY place, place_class
ORDER BY place;
