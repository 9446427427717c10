-- min_orders=30
WITH valued AS (
    SELECT t, price, unnest([
        {'level_no': 1, 'level': 'region', 'place': region},
        {'level_no': 2, 'level': 'state', 'place': state}], recursive := true)
    FROM q.orders JOIN q.months USING (month_no) CROSS JOIN q.period
    WHERE is_valid AND item_count > 0 AND t IS NOT NULL AND r >= 12
), places AS (
    SELECT level_no, level, place, count(*) AS orders
    FROM valued
    GROUP BY ALL
    HAVING level = 'region' OR count(*) >= $min_orders
), series AS (
    SELECT places.*, r, months.t, CAST(100 * coalesce(sum(price), 0) AS HUGEINT) AS cents
    FROM places
    CROSS JOIN q.months AS months
    CROSS JOIN q.period
    LEFT JOIN valued ON valued.level_no = places.level_no AND valued.place = places.place AND valued.t = months.t
    WHERE months.t IS NOT NULL
    GROUP BY ALL
), fits AS (
    SELECT level_no, level, place, orders, r, q_level(t, cents) AS level_of_line, q_slope(t, cents) AS slope,
        q_spread(t) AS spread, q4_near(q_r2(t, cents)) AS fit_r2, sum(cents) FILTER (t >= r - 6) AS last_six
    FROM series
    GROUP BY ALL
), forecasts AS (
    SELECT level_no, level, place, orders, spread, fit_r2, last_six,
        sum(greatest(level_of_line + slope * (r + month), 0)) AS next_six
    FROM fits CROSS JOIN range(6) AS months (month)
    GROUP BY ALL
)
SELECT level, place, CAST(orders AS INTEGER) AS orders,
    q2(last_six, 100) AS gmv_last_6_months,
    q2(next_six, 100 * spread) AS gmv_next_6_months,
    q_pct(next_six - last_six * spread, last_six * spread) AS growth_pct,
    fit_r2
FROM forecasts
ORDER BY level_no, growth_pct DESC, place;
