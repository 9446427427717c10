-- top_pct=20
WITH entities AS (
    SELECT 1 AS place, 'sellers' AS entity
    UNION ALL SELECT 2, 'products'
    UNION ALL SELECT 3, 'categories'
    UNION ALL SELECT 4, 'customers'
), delivered AS (
    SELECT * FROM q.lines WHERE is_delivered
), earned AS (
    SELECT 'sellers' AS entity, seller_id AS id, sum(total) AS revenue FROM delivered WHERE seller_id IS NOT NULL GROUP BY seller_id
    UNION ALL
    SELECT 'products', product_id, sum(total) FROM delivered GROUP BY product_id
    UNION ALL
    SELECT 'categories', category, sum(total) FROM delivered GROUP BY category
    UNION ALL
    SELECT 'customers', customer_id, sum(total) FROM delivered GROUP BY customer_id
), ranked AS (
    SELECT entity, revenue,
        row_number() OVER (PARTITION BY entity ORDER BY revenue DESC, id) AS from_top,
        row_number() OVER (PARTITION BY entity ORDER BY revenue, id DESC) AS from_bottom,
        count(*) OVER (PARTITION BY entity) AS n,
        sum(revenue) OVER (PARTITION BY entity) AS total,
        sum(revenue) OVER (PARTITION BY entity ORDER BY revenue DESC, id) AS running
    FROM earned
), topped AS (
    SELECT *, CAST(ceil(CAST($top_pct AS DECIMAL(9, 4)) * n / 100) AS INTEGER) AS top_n FROM ranked
), grouped AS (
    SELECT entity,
        max(n) AS n, max(top_n) AS top_n, max(total) AS total,
        sum(revenue) FILTER (from_top <= top_n) AS top_revenue,
        count(*) FILTER (100 * (running - revenue) < 80 * total) AS count_for_80_pct,
        sum(from_bottom * revenue) AS weighted
    FROM topped
    GROUP BY entity
)
SELECT entity,
    CAST(coalesce(n, 0) AS INTEGER) AS n,
    coalesce(top_n, 0) AS top_n,
    CAST(coalesce(top_revenue, 0) AS DECIMAL(14, 2)) AS top_revenue,
    CAST(coalesce(total, 0) AS DECIMAL(14, 2)) AS total_revenue,
    q_share(coalesce(n, 0), top_revenue, total) AS top_share_pct,
    CAST(coalesce(count_for_80_pct, 0) AS INTEGER) AS count_for_80_pct,
    q4(2 * weighted - (n + 1) * total, n * total) AS gini
FROM entities
LEFT JOIN grouped USING (entity)
ORDER BY place
