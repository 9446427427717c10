WITH series AS (
    SELECT t, r, first_no, CAST(100 * coalesce(sum(value), 0) AS HUGEINT) AS cents
    FROM q.months AS months
    LEFT JOIN q.orders AS orders ON orders.month_no = months.month_no AND is_delivered
    CROSS JOIN q.period
    WHERE t IS NOT NULL AND r >= 18
    GROUP BY ALL
), fits AS (
    -- Once with all months, and once without the last three, to be tested on them.
    SELECT r, first_no, held_out, count(*) AS n, sum(t) AS sum_t,
        q_level(t, cents) AS level, q_slope(t, cents) AS slope, q_spread(t) AS spread, q_spread(cents) AS spread_of_cents,
        sum(cents) FILTER (t >= r - held_out - 3) AS last_three,
        sum(cents) FILTER (t BETWEEN r - held_out - 15 AND r - held_out - 13) AS same_three
    FROM series CROSS JOIN (VALUES (0), (3)) AS held (held_out)
    WHERE t < r - held_out
    GROUP BY ALL
), forecasts AS (
    -- The squared residuals are (spread of y - slope^2 / spread) / n. The error is that of a forecast, in cents.
    SELECT f.first_no, held_out, series.t + 12 AS t, level + slope * (series.t + 12) AS trend, spread,
        cents * last_three AS seasonal, same_three,
        1.96 * sqrt(CAST(spread_of_cents * spread - slope * slope AS DOUBLE) / CAST(n * spread AS DOUBLE) / (n - 2))
            * sqrt(1 + CAST(1 AS DOUBLE) / n
                   + CAST(power(n * (series.t + 12) - sum_t, 2) AS DOUBLE) / CAST(n * spread AS DOUBLE)) AS margin
    FROM fits AS f JOIN series ON series.t BETWEEN f.r - held_out - 12 AND f.r - 1 - held_out
), errors AS (
    SELECT
        q2_near(100 * avg(abs(cents - greatest(CAST(trend AS DOUBLE), 0) / spread) / cents)) AS trend_mape,
        q2_near(100 * avg(abs(cents - CAST(seasonal AS DOUBLE) / nullif(same_three, 0)) / cents)) AS seasonal_mape
    FROM forecasts JOIN series USING (t)
    WHERE held_out = 3 AND cents > 0
)
SELECT q_month(first_no + t) AS month,
    q2(greatest(trend, 0), 100 * spread) AS trend_forecast,
    q2_near(greatest(CAST(trend AS DOUBLE) / spread - margin, 0) / 100) AS low_95,
    q2_near(greatest(CAST(trend AS DOUBLE) / spread + margin, 0) / 100) AS high_95,
    q2(seasonal, 100 * same_three) AS seasonal_forecast,
    trend_mape, seasonal_mape
FROM forecasts CROSS JOIN errors
WHERE held_out = 0
ORDER BY t;
