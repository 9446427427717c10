-- number = 16
-- group = "Revenue Optimization"
-- title = "How concentrated is revenue among the top 20 %?"
-- columns = "entity* n# top_n# top_revenue total_revenue top_share_pct count_for_80_pct# gini.4"
-- key = ["entity"]
-- chart = { kind = "bar", x = "entity", y = ["top_share_pct"] }
-- finding = [
--   "The {top(top_share_pct).top_n} strongest {top(top_share_pct).entity} bring {top(top_share_pct).top_share_pct} of revenue; {is(sellers).count_for_80_pct} of {is(sellers).n} [seller|sellers] and {is(products).count_for_80_pct} of {is(products).n} [product makes|products make] 80 % of it.",
-- ]
-- definition = """
-- Rows sellers, products, categories, customers: those n with delivered lines, by -revenue, id. top_n = top_pct %
-- of n rounded up; count_for_80_pct: fewest top ones with 80 % of revenue; gini = (2 x sum of i x_i - (n + 1)
-- total) / (n total), x_i ascending from i = 1.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "revenue, GMV", "category", "customer, first order", "seller"]
-- [parameters]
-- top_pct = { default = 20.0, minimum = 0.0 }
-- [made_of]
-- top_share_pct = ["top_revenue", "total_revenue"]
-- gini = ["total_revenue"]

-- answer:
WITH entity (place, entity) AS (
    VALUES (1, 'sellers'), (2, 'products'), (3, 'categories'), (4, 'customers')
), sold AS (
    SELECT 1 AS place, seller_id::text AS id, sum(total) AS x
    FROM lines
    WHERE is_delivered AND seller_id IS NOT NULL
    GROUP BY seller_id
    UNION ALL
    SELECT 2, product_id::text, sum(total) FROM lines WHERE is_delivered GROUP BY product_id
    UNION ALL
    SELECT 3, category, sum(total) FROM lines WHERE is_delivered GROUP BY category
    UNION ALL
    SELECT 4, customer_id::text, sum(total) FROM lines WHERE is_delivered GROUP BY customer_id
), ranked AS (
    SELECT
        place,
        x,
        row_number() OVER w AS rank,
        sum(x) OVER w - x AS before,
        count(*) OVER (PARTITION BY place) AS n,
        sum(x) OVER (PARTITION BY place) AS total
    FROM sold
    WINDOW w AS (PARTITION BY place ORDER BY x DESC, id COLLATE "C")
), counted AS (
    SELECT
        place,
        n,
        total,
        least(ceil(:top_pct * n / 100.0), n) AS top_n,
        sum(x) FILTER (WHERE rank <= ceil(:top_pct * n / 100.0)) AS top_revenue,
        count(*) FILTER (WHERE before * 100 < total * 80) AS count_for_80_pct,
        sum((n + 1 - rank) * x) AS weighted
    FROM ranked
    GROUP BY place, n, total
)
SELECT
    entity,
    coalesce(n, 0)::int AS n,
    coalesce(top_n, 0)::int AS top_n,
    round(coalesce(top_revenue, 0), 2) AS top_revenue,
    round(coalesce(total, 0), 2) AS total_revenue,
    CASE WHEN n IS NULL THEN 0.00 ELSE round(100 * coalesce(top_revenue, 0) / nullif(total, 0), 2) END AS top_share_pct,
    coalesce(count_for_80_pct, 0)::int AS count_for_80_pct,
    round((2 * weighted - (n + 1) * total) / nullif(n * total, 0), 4) AS gini
FROM entity LEFT JOIN counted USING (place)
ORDER BY place

-- rows:
WITH sold AS (
    SELECT 'sellers' AS entity, 'marketplace.dim_seller' AS "table", seller_id::text AS key, sum(total) AS x
    FROM lines
    WHERE is_delivered AND seller_id IS NOT NULL
    GROUP BY seller_id
    UNION ALL
    SELECT 'products', 'marketplace.dim_product', product_id::text, sum(total)
    FROM lines
    WHERE is_delivered
    GROUP BY product_id
    UNION ALL
    SELECT 'categories', 'category', category, sum(total) FROM lines WHERE is_delivered GROUP BY category
    UNION ALL
    SELECT 'customers', 'customer.dim_customer', customer_id::text, sum(total)
    FROM lines
    WHERE is_delivered
    GROUP BY customer_id
), ranked AS (
    SELECT
        *,
        row_number() OVER w <= ceil(:top_pct * count(*) OVER (PARTITION BY entity) / 100.0) AS is_top,
        (sum(x) OVER w - x) * 100 < sum(x) OVER (PARTITION BY entity) * 80 AS is_in_80_pct
    FROM sold
    WINDOW w AS (PARTITION BY entity ORDER BY x DESC, key COLLATE "C")
)
SELECT entity, measure, "table", key, part
FROM ranked
CROSS JOIN LATERAL (
    VALUES
        ('n', 1),
        ('top_n', is_top::int),
        ('top_revenue', CASE WHEN is_top THEN x END),
        ('total_revenue', x),
        ('count_for_80_pct', is_in_80_pct::int)
) AS figure (measure, part)
WHERE part <> 0
