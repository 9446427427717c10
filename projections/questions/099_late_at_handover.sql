-- number = 99
-- group = "Churn & Retention"
-- title = "Can we tell at handover which orders will come late?"
-- columns = "risk_decile# orders# late# late_pct lift_index captured_pct"
-- key = ["risk_decile"]
-- chart = { kind = "bar", x = "risk_decile", y = ["late_pct"] }
-- finding = [
--   "The tenth of orders with the highest risk at handover holds {first.captured_pct} of the late ones: {first.late_pct} of it came late, {first.lift_index} where 100 is the mean.",
--   "In the tenth of orders with the highest risk at handover {first.late} of {first.orders} came late.",
-- ]
-- definition = """
-- Deliveries of regular months with lines, promise and shipped_at: learnt on all but the last three months, tested on
-- those. Test orders in ten groups (ntile over -score, order_id). lift_index = 100 x late_pct / that of all;
-- captured_pct: running share of all late. Empty if R < 12 or fewer than 30 late to learn from. Naive Bayes: score =
-- ln(L/O) + sum over features of ln(((l+1)/(L+k)) / ((o+1)/(O+k))), to 6 decimals; L, O late and other training
-- orders, l, o those sharing the value, k values seen in training. Features: distance band or '?'; calendar days from
-- shipped to promised date below 7, 14, 21, 28, or more; shipped_at after the order's latest ship_by or not, or '?'.
-- """
-- caveat = ""
-- terms = ["delivery, late", "regular period", "distance", "dates, months"]
-- [made_of]
-- late_pct = ["late", "orders"]
-- lift_index = ["late", "orders", "all_late", "all_orders"]
-- captured_pct = ["late_so_far", "all_late"]

-- answer:
WITH delivery AS (
    SELECT
        o.order_id,
        o.days_late > 0 AS is_late,
        m.t >= p.r - 3 AS is_test,
        coalesce(width_bucket(o.distance_km, ARRAY[0, 100, 300, 600, 1000, 2000]::float8[]), 0) AS distance,
        width_bucket(o.promised_by::date - o.shipped_at::date, ARRAY[7, 14, 21, 28]) AS days_left,
        coalesce((o.shipped_at > o.ship_by)::int, -1) AS past_due
    FROM orders AS o
    JOIN months AS m USING (month_no)
    CROSS JOIN period AS p
    WHERE o.days_late IS NOT NULL AND o.item_count > 0 AND o.shipped_at IS NOT NULL AND m.t IS NOT NULL AND p.r >= 12
), kinds AS (
    SELECT is_test, distance, days_left, past_due, count(*) AS orders, count(*) FILTER (WHERE is_late) AS late
    FROM delivery
    GROUP BY is_test, distance, days_left, past_due
), learnt AS (  -- of each value of each feature
    SELECT
        feature,
        value,
        sum(late) AS late,
        sum(orders - late) AS other,
        count(*) OVER w AS seen,
        sum(sum(late)) OVER w AS all_late,
        sum(sum(orders - late)) OVER w AS all_other
    FROM kinds
    CROSS JOIN LATERAL (
        VALUES ('distance', distance), ('days left', days_left), ('past due', past_due)
    ) AS known (feature, value)
    WHERE NOT is_test
    GROUP BY feature, value
    WINDOW w AS (PARTITION BY feature)
), totals AS (
    SELECT DISTINCT feature, seen, all_late, all_other FROM learnt WHERE all_late >= 30
), scored AS (  -- of each combination of values
    SELECT
        k.distance,
        k.days_left,
        k.past_due,
        round((
            ln((max(t.all_late) / nullif(max(t.all_other), 0))::float8)
            + sum(ln(
                (coalesce(l.late, 0) + 1)::float8 / (t.all_late + t.seen)::float8
                / ((coalesce(l.other, 0) + 1)::float8 / (t.all_other + t.seen)::float8)
            ))
        )::numeric, 6) AS score
    FROM kinds AS k
    CROSS JOIN LATERAL (
        VALUES ('distance', distance), ('days left', days_left), ('past due', past_due)
    ) AS known (feature, value)
    JOIN totals AS t USING (feature)
    LEFT JOIN learnt AS l USING (feature, value)
    WHERE k.is_test
    GROUP BY k.distance, k.days_left, k.past_due
), grouped AS (
    SELECT order_id, is_late, ntile(10) OVER (ORDER BY score DESC, order_id) AS risk_decile
    FROM delivery JOIN scored USING (distance, days_left, past_due)
    WHERE is_test
), counted AS (
    SELECT risk_decile, count(*) AS orders, count(*) FILTER (WHERE is_late) AS late FROM grouped GROUP BY risk_decile
)
SELECT
    risk_decile,
    orders::int AS orders,
    late::int AS late,
    round(100.0 * late / orders, 2) AS late_pct,
    round(100.0 * late * sum(orders) OVER () / nullif(orders * sum(late) OVER (), 0), 2) AS lift_index,
    round(100.0 * sum(late) OVER (ORDER BY risk_decile) / nullif(sum(late) OVER (), 0), 2) AS captured_pct
FROM counted
ORDER BY risk_decile

-- rows:
WITH delivery AS (
    SELECT
        o.order_id,
        o.days_late > 0 AS is_late,
        m.t >= p.r - 3 AS is_test,
        coalesce(width_bucket(o.distance_km, ARRAY[0, 100, 300, 600, 1000, 2000]::float8[]), 0) AS distance,
        width_bucket(o.promised_by::date - o.shipped_at::date, ARRAY[7, 14, 21, 28]) AS days_left,
        coalesce((o.shipped_at > o.ship_by)::int, -1) AS past_due
    FROM orders AS o
    JOIN months AS m USING (month_no)
    CROSS JOIN period AS p
    WHERE o.days_late IS NOT NULL AND o.item_count > 0 AND o.shipped_at IS NOT NULL AND m.t IS NOT NULL AND p.r >= 12
), kinds AS (
    SELECT is_test, distance, days_left, past_due, count(*) AS orders, count(*) FILTER (WHERE is_late) AS late
    FROM delivery
    GROUP BY is_test, distance, days_left, past_due
), learnt AS (  -- of each value of each feature
    SELECT
        feature,
        value,
        sum(late) AS late,
        sum(orders - late) AS other,
        count(*) OVER w AS seen,
        sum(sum(late)) OVER w AS all_late,
        sum(sum(orders - late)) OVER w AS all_other
    FROM kinds
    CROSS JOIN LATERAL (
        VALUES ('distance', distance), ('days left', days_left), ('past due', past_due)
    ) AS known (feature, value)
    WHERE NOT is_test
    GROUP BY feature, value
    WINDOW w AS (PARTITION BY feature)
), totals AS (
    SELECT DISTINCT feature, seen, all_late, all_other FROM learnt WHERE all_late >= 30
), scored AS (  -- of each combination of values
    SELECT
        k.distance,
        k.days_left,
        k.past_due,
        round((
            ln((max(t.all_late) / nullif(max(t.all_other), 0))::float8)
            + sum(ln(
                (coalesce(l.late, 0) + 1)::float8 / (t.all_late + t.seen)::float8
                / ((coalesce(l.other, 0) + 1)::float8 / (t.all_other + t.seen)::float8)
            ))
        )::numeric, 6) AS score
    FROM kinds AS k
    CROSS JOIN LATERAL (
        VALUES ('distance', distance), ('days left', days_left), ('past due', past_due)
    ) AS known (feature, value)
    JOIN totals AS t USING (feature)
    LEFT JOIN learnt AS l USING (feature, value)
    WHERE k.is_test
    GROUP BY k.distance, k.days_left, k.past_due
), grouped AS (
    SELECT order_id, is_late, ntile(10) OVER (ORDER BY score DESC, order_id) AS risk_decile
    FROM delivery JOIN scored USING (distance, days_left, past_due)
    WHERE is_test
), listed AS (
    SELECT DISTINCT risk_decile FROM grouped
)
SELECT l.risk_decile, measure, 'fulfillment.fact_delivery' AS "table", g.order_id::text AS key, 1 AS part
FROM listed AS l
CROSS JOIN grouped AS g
CROSS JOIN LATERAL (
    VALUES
        ('orders', g.risk_decile = l.risk_decile),
        ('late', g.risk_decile = l.risk_decile AND g.is_late),
        ('late_so_far', g.risk_decile <= l.risk_decile AND g.is_late),
        ('all_late', g.is_late),
        ('all_orders', true)
) AS figure (measure, counts)
WHERE counts
