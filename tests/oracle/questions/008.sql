-- top=10
WITH ranked AS (
    SELECT category, q_sum(total) AS revenue, row_number() OVER (ORDER BY sum(total) DESC, category) AS rank
    FROM q.lines
    WHERE is_delivered
    GROUP BY category
    QUALIFY rank <= $top
), monthly AS (
    -- Every category in every regular month.
    SELECT r.category, m.t, m.half, coalesce(sum(l.total), 0) AS revenue
    FROM ranked AS r
    CROSS JOIN q.months AS m
    LEFT JOIN q.lines AS l ON l.category = r.category AND l.month_no = m.month_no AND l.is_delivered
    WHERE m.t IS NOT NULL
    GROUP BY r.category, m.t, m.half
), trends AS (
    SELECT category,
        sum(revenue) FILTER (half = 'recent') AS recent_revenue,
        sum(revenue) FILTER (half = 'year-ago') AS year_ago_revenue,
        q2(count(*) * sum(t * revenue) - sum(t) * sum(revenue), count(*) * sum(t * t) - sum(t) * sum(t)) AS monthly_slope
    FROM monthly
    GROUP BY category
)
SELECT CAST(r.rank AS INTEGER) AS rank, r.category, r.revenue,
    CAST(recent_revenue AS DECIMAL(14, 2)) AS recent_revenue,
    CAST(year_ago_revenue AS DECIMAL(14, 2)) AS year_ago_revenue,
    q_pct(recent_revenue - year_ago_revenue, year_ago_revenue) AS change_pct,
    monthly_slope
FROM ranked AS r
LEFT JOIN trends USING (category)
ORDER BY r.rank
