-- number = 60
-- group = "Seller Health"
-- title = "Do established sellers stay and extend their range?"
-- columns = "signal* sellers# sellers_share_pct order_value value_share_pct"
-- key = ["signal"]
-- chart = { kind = "bar", x = "signal", y = ["sellers_share_pct", "value_share_pct"] }
-- finding = [
--   "Of {is(established sellers).sellers} established [seller|sellers], {is(still selling).sellers_share_pct} still sell and {is(growing catalogue).sellers_share_pct} offer more products than half a year before; {is(neither).sellers_share_pct} do neither.",
-- ]
-- definition = """
-- Valid lines placed up to the close date. 'established sellers': first line aged 180 or more; of these 'still
-- selling': last line aged below 90; 'growing catalogue': more distinct products at ages 0-179 than at 180-359;
-- 'both'; 'neither'. order_value: price + freight of all their lines; shares of the first row.
-- """
-- caveat = "Continued use stands for seller satisfaction."
-- terms = ["delivered, lost, valid", "value, paid", "close date, age, evaluation date", "seller"]
-- [made_of]
-- sellers_share_pct = ["sellers"]
-- value_share_pct = ["order_value"]

-- answer:
WITH aged AS (
    SELECT seller_id, product_id, total, close_date - placed_on AS age
    FROM lines CROSS JOIN period
    WHERE is_valid AND seller_id IS NOT NULL AND placed_on <= close_date
), seller AS (
    SELECT
        seller_id,
        sum(total) AS value,
        min(age) < 90 AS sells,
        count(DISTINCT product_id) FILTER (WHERE age < 180)
            > count(DISTINCT product_id) FILTER (WHERE age BETWEEN 180 AND 359) AS grows
    FROM aged
    GROUP BY seller_id
    HAVING max(age) >= 180
), everything AS (
    SELECT nullif(count(*), 0) AS sellers, nullif(sum(value), 0) AS value FROM seller
), signal (place, signal) AS (
    VALUES (1, 'established sellers'), (2, 'still selling'), (3, 'growing catalogue'), (4, 'both'), (5, 'neither')
)
SELECT
    signal,
    count(seller_id)::int AS sellers,
    round(coalesce(100.0 * count(seller_id) / max(e.sellers), 0), 2) AS sellers_share_pct,
    round(coalesce(sum(s.value), 0), 2) AS order_value,
    CASE WHEN count(seller_id) > 0 THEN round(100 * sum(s.value) / max(e.value), 2) ELSE 0.00 END AS value_share_pct
FROM signal
LEFT JOIN seller AS s
    ON CASE place WHEN 1 THEN true WHEN 2 THEN sells WHEN 3 THEN grows WHEN 4 THEN sells AND grows
        ELSE NOT (sells OR grows) END
CROSS JOIN everything AS e
GROUP BY place, signal
ORDER BY place

-- rows:
WITH aged AS (
    SELECT order_id, item_no, seller_id, product_id, total, close_date - placed_on AS age
    FROM lines CROSS JOIN period
    WHERE is_valid AND seller_id IS NOT NULL AND placed_on <= close_date
), seller AS (
    SELECT
        seller_id,
        min(age) < 90 AS sells,
        count(DISTINCT product_id) FILTER (WHERE age < 180)
            > count(DISTINCT product_id) FILTER (WHERE age BETWEEN 180 AND 359) AS grows
    FROM aged
    GROUP BY seller_id
    HAVING max(age) >= 180
), signalled AS (
    SELECT seller_id, signal
    FROM seller
    CROSS JOIN LATERAL (
        VALUES
            ('established sellers', true),
            ('still selling', sells),
            ('growing catalogue', grows),
            ('both', sells AND grows),
            ('neither', NOT (sells OR grows))
    ) AS signals (signal, is_given)
    WHERE is_given
)
SELECT signal, 'sellers' AS measure, 'marketplace.dim_seller' AS "table", seller_id::text AS key, 1::numeric AS part
FROM signalled
UNION ALL
SELECT signal, 'order_value', 'sales.fact_order_item', order_id || '/' || item_no, total
FROM signalled JOIN aged USING (seller_id)
WHERE total <> 0
