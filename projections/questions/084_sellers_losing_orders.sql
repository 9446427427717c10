-- number = 84
-- group = "Order Quality"
-- title = "Which sellers lose unusually many orders?"
-- columns = "seller_id* seller_state* orders# lost# lost_pct expected_lost z_score unusual*"
-- key = ["seller_id"]
-- chart = { kind = "table" }
-- finding = [
--   "The seller furthest from what is expected, in {first.seller_state}, lost {first.lost} of {first.orders} [order|orders], {first.lost_pct}, where {first.expected_lost} were expected.",
-- ]
-- definition = """
-- All orders by seller, sellers that lost one. p: share lost among all order-seller pairs; expected_lost = n p;
-- z_score = (lost - n p) / sqrt(n p (1 - p)); unusual: yes from 2.00, else no. Sort: -z_score, -orders, seller_id.
-- """
-- caveat = "Lost orders without lines have no seller."
-- terms = ["delivered, lost, valid", "seller"]
-- [parameters]
-- min_orders = { default = 10, minimum = 0 }
-- limit = { default = 20, minimum = 1 }
-- [made_of]
-- seller_state = []
-- lost_pct = ["lost", "orders"]
-- expected_lost = ["orders", "all_lost_pairs", "all_pairs"]
-- z_score = ["lost", "orders", "all_lost_pairs", "all_pairs"]
-- unusual = ["lost", "orders", "all_lost_pairs", "all_pairs"]

-- answer:
WITH overall AS (
    SELECT sum(lost) AS all_lost, sum(orders) AS all_orders FROM seller_scorecard
), figures AS (
    SELECT
        seller_id,
        state AS seller_state,
        orders,
        lost,
        round(100.0 * lost / orders, 2) AS lost_pct,
        round(1.0 * orders * all_lost / all_orders, 2) AS expected_lost,
        -- by whole numbers: (lost - n p) / sqrt(n p (1 - p)), both times the number of all pairs
        round(
            (1.0 * lost * all_orders - orders * all_lost)
            / sqrt(nullif(1.0 * orders * all_lost * (all_orders - all_lost), 0)),
            2
        ) AS z_score
    FROM seller_scorecard CROSS JOIN overall
    WHERE lost > 0 AND orders >= :min_orders
)
SELECT *, CASE WHEN z_score >= 2 THEN 'yes' ELSE 'no' END AS unusual
FROM figures
ORDER BY z_score DESC NULLS LAST, orders DESC, seller_id
LIMIT :limit

-- rows:
WITH pair AS (  -- an order of a seller is named by the seller's first line in it
    SELECT seller_id, order_id, order_id || '/' || min(item_no) AS line, bool_or(is_lost) AS is_lost
    FROM lines
    WHERE seller_id IS NOT NULL
    GROUP BY seller_id, order_id
), listed AS (
    SELECT c.seller_id
    FROM seller_scorecard AS c
    CROSS JOIN (SELECT sum(lost) AS all_lost, sum(orders) AS all_orders FROM seller_scorecard) AS overall
    WHERE c.lost > 0 AND c.orders >= :min_orders
    ORDER BY
        round(
            (1.0 * c.lost * all_orders - c.orders * all_lost)
            / sqrt(nullif(1.0 * c.orders * all_lost * (all_orders - all_lost), 0)),
            2
        ) DESC NULLS LAST,
        c.orders DESC,
        c.seller_id
    LIMIT :limit
)
SELECT seller_id, measure, 'sales.fact_order' AS "table", order_id::text AS key, 1 AS part
FROM pair
CROSS JOIN LATERAL (VALUES ('orders', true), ('lost', is_lost)) AS figure (measure, counts)
WHERE counts
UNION ALL
SELECT l.seller_id, measure, 'sales.fact_order_item', p.line, 1
FROM listed AS l
CROSS JOIN pair AS p
CROSS JOIN LATERAL (VALUES ('all_pairs', true), ('all_lost_pairs', p.is_lost)) AS figure (measure, counts)
WHERE counts
