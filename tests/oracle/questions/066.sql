-- Valid orders from the cities below; inhabitants by IBGE, 2018.
WITH cities (city, state, population) AS (
    VALUES ('sao paulo', 'SP', 12176866), ('rio de janeiro', 'RJ', 6688927), ('brasilia', 'DF', 2974703),
        ('salvador', 'BA', 2857329), ('fortaleza', 'CE', 2643247), ('belo horizonte', 'MG', 2501576),
        ('manaus', 'AM', 2145444), ('curitiba', 'PR', 1917185), ('recife', 'PE', 1637834), ('goiania', 'GO', 1495705),
        ('belem', 'PA', 1485732), ('porto alegre', 'RS', 1479101), ('guarulhos', 'SP', 1365899),
        ('campinas', 'SP', 1194094), ('sao luis', 'MA', 1094667), ('sao goncalo', 'RJ', 1077687),
        ('maceio', 'AL', 1012382)
), valid_orders AS (
    SELECT * FROM q.orders WHERE is_valid
), counted AS (
    SELECT city, state, population, count(DISTINCT customer_id) AS customers, count(order_id) AS orders
    FROM cities LEFT JOIN valid_orders USING (city, state)
    GROUP BY city, state, population
)
SELECT city, state,
    CAST(population AS INTEGER) AS population,
    CAST(customers AS INTEGER) AS customers,
    CAST(orders AS INTEGER) AS orders,
    q2(100000 * customers, population) AS customers_per_100k,
    coalesce(q_pct(orders, (SELECT count(*) FROM valid_orders)), 0) AS orders_share_pct
FROM counted
ORDER BY customers_per_100k DESC, city;
