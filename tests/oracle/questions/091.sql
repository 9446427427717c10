-- top=10
WITH bought AS (
    SELECT DISTINCT order_id, category, t
    FROM q.lines JOIN q.months USING (month_no)
    WHERE is_valid AND t IS NOT NULL
), top_categories AS (
    SELECT category, row_number() OVER (ORDER BY count(*) DESC, category) AS rank, r, first_no
    FROM bought CROSS JOIN q.period
    WHERE r >= 12
    GROUP BY category, r, first_no
    QUALIFY rank <= $top
), series AS (
    SELECT top_categories.*, months.t, count(order_id) AS orders
    FROM top_categories
    CROSS JOIN q.months AS months
    LEFT JOIN bought ON bought.category = top_categories.category AND bought.t = months.t
    WHERE months.t IS NOT NULL
    GROUP BY ALL
), fits AS (
    -- Once with all months, and once without the last three, to be tested on them.
    SELECT category, rank, r, first_no, held_out,
        q_level(t, orders) AS level, q_slope(t, orders) AS slope, q_spread(t) AS spread,
        sum(orders) FILTER (t >= r - held_out - 3) AS last_three
    FROM series CROSS JOIN (VALUES (0), (3)) AS held (held_out)
    WHERE t < r - held_out
    GROUP BY ALL
), forecasts AS (
    SELECT category, rank, first_no, held_out, r - held_out + month AS t,
        greatest(level + slope * (r - held_out + month), 0) AS trend, spread, last_three
    FROM fits CROSS JOIN (VALUES (0), (1), (2)) AS months (month)
), errors AS (
    SELECT category,
        q2_near(100 * avg(CAST(abs(orders * spread - trend) AS DOUBLE) / CAST(orders * spread AS DOUBLE))) AS trend_mape,
        q2_near(100 * avg(CAST(abs(3 * orders - last_three) AS DOUBLE) / (3 * orders))) AS mean_mape
    FROM forecasts JOIN series USING (category, t)
    WHERE held_out = 3 AND orders > 0
    GROUP BY category
), chosen AS (
    SELECT f.*, coalesce(trend_mape < mean_mape, false) AS is_trend, least(trend_mape, mean_mape) AS backtest_mape
    FROM forecasts AS f LEFT JOIN errors USING (category)
    WHERE held_out = 0
)
SELECT c.category, q_month(c.first_no + c.t) AS month,
    CASE WHEN is_trend THEN 'trend' ELSE 'mean of the last three months' END AS method,
    CASE WHEN is_trend THEN q2(trend, spread) ELSE q2(last_three, 3) END AS forecast_orders,
    CAST(before.orders AS INTEGER) AS orders_a_year_before, backtest_mape
FROM chosen AS c
JOIN series AS before ON before.category = c.category AND before.t = c.t - 12
ORDER BY c.rank, c.t;
