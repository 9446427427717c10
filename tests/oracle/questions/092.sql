-- min_lines=3 limit=20
WITH aged AS (
    SELECT product_id, category, close_date - placed_on AS age FROM q.lines CROSS JOIN q.period WHERE is_valid
), products AS (
    SELECT product_id, any_value(category) AS category,
        CAST(count(*) FILTER (age BETWEEN 0 AND 29) AS INTEGER) AS lines_last_30_days,
        CAST(count(*) FILTER (age BETWEEN 30 AND 119) AS INTEGER) AS lines_prior_90_days
    FROM aged
    GROUP BY product_id
), scored AS (
    -- With expected = m / 3, (lines - expected) / sqrt(expected) is (3 lines - m) / sqrt(3 m).
    SELECT *, q2(greatest(lines_prior_90_days, 1), 3) AS expected,
        q2_near((3 * lines_last_30_days - greatest(lines_prior_90_days, 1))
            / sqrt(CAST(3 * greatest(lines_prior_90_days, 1) AS DOUBLE))) AS spike_score
    FROM products
    WHERE lines_last_30_days >= $min_lines
)
SELECT *, CASE WHEN spike_score >= 3 THEN 'strong' WHEN spike_score >= 2 THEN 'watch' ELSE 'normal' END AS signal
FROM scored
ORDER BY spike_score DESC, lines_last_30_days DESC, product_id
LIMIT $limit;
