-- min_lines=30
-- Valid lines of the two halves by category; amounts in cents.
WITH half_lines AS (
    SELECT category, half, CAST(100 * price AS BIGINT) AS cents
    FROM q.lines JOIN q.months USING (month_no)
    WHERE is_valid AND half IS NOT NULL
), categories AS (
    SELECT category, count(*) AS lines,
        coalesce(sum(cents) FILTER (half = 'year-ago'), 0) AS year_ago,
        coalesce(sum(cents) FILTER (half = 'recent'), 0) AS recent
    FROM half_lines
    GROUP BY category
), everything AS (
    SELECT sum(year_ago) AS all_year_ago, sum(recent) AS all_recent FROM categories
), compared AS (
    SELECT category, lines, year_ago, recent,
        q_pct(recent - year_ago, year_ago) AS change_pct,
        q_pct(recent * all_year_ago - year_ago * all_recent, all_recent * all_year_ago) AS share_change_pp
    FROM categories CROSS JOIN everything
    WHERE lines >= $min_lines
)
SELECT category,
    CAST(lines AS INTEGER) AS lines,
    q2(year_ago, 100) AS year_ago_gmv,
    q2(recent, 100) AS recent_gmv,
    change_pct,
    share_change_pp,
    CASE WHEN year_ago = 0 THEN 'new'
         WHEN change_pct > 10 THEN 'growing'
         WHEN change_pct < -10 THEN 'declining'
         ELSE 'stable' END AS trend
FROM compared
ORDER BY change_pct DESC, category;
