-- Calendar months. The trend value of a month is (level + slope x t) / spread, all three exact.
WITH calendar AS (
    SELECT CAST(calendar_month AS INTEGER) AS calendar_month FROM range(1, 13) AS months (calendar_month)
), monthly AS (
    SELECT m.month_no % 12 + 1 AS calendar_month, m.t, q_sum(o.value) AS revenue
    FROM q.months AS m
    LEFT JOIN q.orders AS o ON o.month_no = m.month_no AND o.is_delivered
    WHERE m.t IS NOT NULL
    GROUP BY m.month_no, m.t
), trend AS (
    SELECT count(*) * sum(t * t) - sum(t) * sum(t) AS spread,
        count(*) * sum(t * revenue) - sum(t) * sum(revenue) AS slope,
        sum(revenue) * sum(t * t) - sum(t) * sum(t * revenue) AS level
    FROM monthly
), ratios AS (
    SELECT calendar_month,
        avg(CAST(revenue AS DOUBLE) * spread / CAST(level + slope * t AS DOUBLE))
            FILTER (spread > 0 AND level + slope * t > 0) AS ratio
    FROM monthly CROSS JOIN trend
    GROUP BY calendar_month
), indices AS (
    SELECT calendar_month, 100 * ratio / nullif((SELECT avg(ratio) FROM ratios), 0) AS seasonal_index
    FROM ratios CROSS JOIN q.period
    WHERE r >= 12
)
SELECT c.calendar_month,
    monthname(make_date(2017, c.calendar_month, 1)) AS month_name,
    CAST(count(m.t) AS INTEGER) AS years_seen,
    q_mean(m.revenue) AS avg_revenue,
    q2_near(any_value(i.seasonal_index)) AS seasonal_index
FROM calendar AS c
LEFT JOIN monthly AS m USING (calendar_month)
LEFT JOIN indices AS i USING (calendar_month)
GROUP BY c.calendar_month
ORDER BY c.calendar_month
