-- number = 54
-- group = "Seller Metrics"
-- title = "How many sellers sell once, and how many again?"
-- columns = "orders_per_seller* kind* sellers# sellers_share_pct orders# order_value value_share_pct"
-- key = ["orders_per_seller"]
-- chart = { kind = "bar", x = "orders_per_seller", y = ["sellers"] }
-- finding = [
--   "{is(0).sellers} registered [seller|sellers], {is(0).sellers_share_pct}, [has|have] not sold yet, and {is(1).sellers_share_pct} sold just once; the {top(value_share_pct).sellers} with {top(value_share_pct).orders_per_seller} orders [brings|bring] most of the value, {top(value_share_pct).value_share_pct}.",
-- ]
-- definition = """
-- All registered sellers by number of valid orders: 0 (kind none), 1 (one-time), 2-5, 6-20, 21-100, 101+ (repeat).
-- order_value: price + freight of their valid lines.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid", "seller"]
-- [made_of]
-- kind = []
-- sellers_share_pct = ["sellers"]
-- value_share_pct = ["order_value"]

-- answer:
WITH band (place, orders_per_seller, kind, least, most) AS (
    VALUES (0, '0', 'none', 0, 0), (1, '1', 'one-time', 1, 1), (2, '2-5', 'repeat', 2, 5), (3, '6-20', 'repeat', 6, 20),
        (4, '21-100', 'repeat', 21, 100), (5, '101+', 'repeat', 101, 2147483647)
), seller AS (
    SELECT place, seller_id, order_value
    FROM band JOIN seller_scorecard ON valid BETWEEN least AND most
    WHERE is_registered
), by_band AS (
    SELECT place, count(*) AS sellers, sum(order_value) AS value FROM seller GROUP BY place
), ordered AS (  -- an order of two sellers counts once in a band
    SELECT place, count(DISTINCT order_id) AS orders
    FROM seller JOIN lines USING (seller_id)
    WHERE is_valid
    GROUP BY place
)
SELECT
    orders_per_seller,
    kind,
    coalesce(sellers, 0)::int AS sellers,
    round(coalesce(100 * sellers / nullif(sum(sellers) OVER (), 0), 0), 2) AS sellers_share_pct,
    coalesce(orders, 0)::int AS orders,
    round(coalesce(value, 0), 2) AS order_value,
    CASE WHEN sellers > 0 THEN round(100 * value / nullif(sum(value) OVER (), 0), 2) ELSE 0.00 END AS value_share_pct
FROM band LEFT JOIN by_band USING (place) LEFT JOIN ordered USING (place)
ORDER BY place

-- rows:
WITH band (orders_per_seller, least, most) AS (
    VALUES ('0', 0, 0), ('1', 1, 1), ('2-5', 2, 5), ('6-20', 6, 20), ('21-100', 21, 100), ('101+', 101, 2147483647)
), seller AS (
    SELECT orders_per_seller, seller_id
    FROM band JOIN seller_scorecard ON valid BETWEEN least AND most
    WHERE is_registered
)
SELECT
    orders_per_seller,
    'sellers' AS measure,
    'marketplace.dim_seller' AS "table",
    seller_id::text AS key,
    1::numeric AS part
FROM seller
UNION ALL
SELECT orders_per_seller, 'orders', 'sales.fact_order', order_id::text, 1
FROM seller JOIN lines USING (seller_id)
WHERE is_valid
GROUP BY orders_per_seller, order_id
UNION ALL
SELECT orders_per_seller, 'order_value', 'sales.fact_order_item', order_id || '/' || item_no, total
FROM seller JOIN lines USING (seller_id)
WHERE is_valid AND total <> 0
