WITH monthly AS (
    SELECT t, r, first_no, month_no % 12 + 1 AS calendar_month, orders
    FROM q.months CROSS JOIN q.period
    WHERE t IS NOT NULL AND r >= 12
), trend AS (
    SELECT r, first_no, q_level(t, orders) AS level, q_slope(t, orders) AS slope, q_spread(t) AS spread
    FROM monthly
    GROUP BY ALL
), ratios AS (
    SELECT calendar_month, avg(CAST(orders * spread AS DOUBLE) / CAST(level + slope * t AS DOUBLE)) AS ratio
    FROM monthly CROSS JOIN trend
    WHERE level + slope * t > 0
    GROUP BY calendar_month
), indices AS (
    SELECT calendar_month, 100 * ratio / (SELECT nullif(avg(ratio), 0) FROM ratios) AS seasonal_index FROM ratios
), daily AS (
    SELECT date, month(date) AS calendar_month, count(order_id) AS orders
    FROM (SELECT CAST(unnest(generate_series(
              make_date(CAST(first_no // 12 AS INTEGER), CAST(first_no % 12 + 1 AS INTEGER), 1), close_date,
              INTERVAL 1 DAY)) AS DATE) AS date FROM q.period)
    LEFT JOIN q.orders ON placed_on = date
    GROUP BY date
), past AS (
    SELECT calendar_month, count(*) AS days, sum(orders) AS orders,
        quantile_disc(orders, 0.95) AS p95, max(orders) AS most
    FROM daily
    GROUP BY calendar_month
), future AS (
    SELECT first_no + t AS month_no, (first_no + t) % 12 + 1 AS calendar_month,
        day(last_day(make_date(CAST((first_no + t) // 12 AS INTEGER), CAST((first_no + t) % 12 + 1 AS INTEGER), 1))) AS days,
        CAST(greatest(level + slope * t, 0) AS DOUBLE) / CAST(spread AS DOUBLE) AS orders
    FROM (SELECT *, unnest(range(r, r + 12)) AS t FROM trend)
)
SELECT q_month(month_no) AS month, q2(past.orders, past.days) AS past_orders_per_day,
    CAST(p95 AS INTEGER) AS past_p95_per_day, CAST(most AS INTEGER) AS past_max_per_day,
    q2_near(seasonal_index) AS seasonal_index,
    q2_near(future.orders * seasonal_index / 100 / future.days) AS forecast_per_day,
    q2_near(future.orders * seasonal_index / 100 / future.days * p95 * past.days / nullif(past.orders, 0))
        AS capacity_per_day
FROM future
JOIN past USING (calendar_month)
LEFT JOIN indices USING (calendar_month)
ORDER BY month_no;
