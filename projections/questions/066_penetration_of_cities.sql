-- number = 66
-- group = "Market Penetration"
-- title = "How far have we penetrated the largest cities?"
-- columns = "city* state* population# customers# orders# customers_per_100k orders_share_pct"
-- key = ["city", "state"]
-- chart = { kind = "bar", x = "city", y = ["customers_per_100k"] }
-- finding = [
--   "Of 100,000 inhabitants we reach most in {top(customers_per_100k).city}, {top(customers_per_100k).customers_per_100k} customers, and least in {low(customers_per_100k).city}: {low(customers_per_100k).customers_per_100k}. The largest, sao paulo, places {is(sao paulo).orders_share_pct} of all orders.",
-- ]
-- definition = """
-- Valid orders from each city below, and customers with one. orders_share_pct: of all valid orders. Inhabitants (IBGE
-- 2018): sao paulo SP 12176866, rio de janeiro RJ 6688927, brasilia DF 2974703, salvador BA 2857329, fortaleza CE
-- 2643247, belo horizonte MG 2501576, manaus AM 2145444, curitiba PR 1917185, recife PE 1637834, goiania GO 1495705,
-- belem PA 1485732, porto alegre RS 1479101, guarulhos SP 1365899, campinas SP 1194094, sao luis MA 1094667, sao
-- goncalo RJ 1077687, maceio AL 1012382. Sort: -customers_per_100k, city.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "customer, first order", "state, region, city of an order"]
-- [made_of]
-- population = []
-- customers_per_100k = ["customers"]
-- orders_share_pct = ["orders"]

-- answer:
WITH metropolis (city, state, population) AS (
    VALUES ('sao paulo', 'SP', 12176866), ('rio de janeiro', 'RJ', 6688927), ('brasilia', 'DF', 2974703),
        ('salvador', 'BA', 2857329), ('fortaleza', 'CE', 2643247), ('belo horizonte', 'MG', 2501576),
        ('manaus', 'AM', 2145444), ('curitiba', 'PR', 1917185), ('recife', 'PE', 1637834), ('goiania', 'GO', 1495705),
        ('belem', 'PA', 1485732), ('porto alegre', 'RS', 1479101), ('guarulhos', 'SP', 1365899),
        ('campinas', 'SP', 1194094), ('sao luis', 'MA', 1094667), ('sao goncalo', 'RJ', 1077687),
        ('maceio', 'AL', 1012382)
), bought AS (
    SELECT city, state, count(DISTINCT customer_id) AS customers, count(*) AS orders
    FROM orders
    WHERE is_valid
    GROUP BY city, state
)
SELECT
    city,
    state,
    population,
    coalesce(customers, 0)::int AS customers,
    coalesce(orders, 0)::int AS orders,
    round(100000.0 * coalesce(customers, 0) / population, 2) AS customers_per_100k,
    round(coalesce(100 * orders / (SELECT sum(orders) FROM bought), 0), 2) AS orders_share_pct
FROM metropolis LEFT JOIN bought USING (city, state)
ORDER BY customers_per_100k DESC, city COLLATE "C"

-- rows:
SELECT city, state, 'customers' AS measure, 'customer.dim_customer' AS "table", customer_id::text AS key, 1 AS part
FROM orders
WHERE is_valid
GROUP BY city, state, customer_id
UNION ALL
SELECT city, state, 'orders', 'sales.fact_order', order_id::text, 1
FROM orders
WHERE is_valid
