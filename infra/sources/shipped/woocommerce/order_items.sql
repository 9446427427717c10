-- Each piece is an item. Its price is its part of the line with the tax on it, after discounts; what else was charged for
-- the order (shipping, fees, their tax) is freight, the same for each piece. Amounts are parted in cents, by largest
-- remainder, so that prices and freight add up to the order's total. Fees below zero, which are discounts, lower prices.
WITH charged AS ( -- what can be read as a number, per row; before a minus the extension writes an apostrophe
    SELECT
        line,
        order_id,
        coalesce(item_id, 'line ' || line) AS item,
        amount(item_total) + amount(coalesce(item_total_tax, '0')) AS price,
        amount(coalesce(shipping_total, '0'))
        + amount(coalesce(shipping_tax_total, '0'))
        + amount(ltrim(coalesce(fee_total, '0'), ''''))
        + amount(ltrim(coalesce(fee_tax_total, '0'), '''')) AS rest,
        amount(order_total) AS total,
        -- nobody wants a row for each of more than a thousand pieces
        CASE WHEN regexp_full_match(item_quantity, '0*([1-9][0-9]{0,2}|1000)') THEN item_quantity::INTEGER END AS pieces
    FROM export
), items AS ( -- in cents; a row that stands twice is one item
    SELECT
        order_id,
        item,
        max(pieces) AS pieces,
        CAST(max(round(price * 100)) AS HUGEINT) AS price,
        CAST(max(round(rest * 100)) AS HUGEINT) AS rest,
        CAST(max(round(total * 100)) AS HUGEINT) AS total
    FROM charged
    GROUP BY order_id, item
), orders AS (
    SELECT order_id, sum(pieces) AS pieces, sum(price) AS price, max(rest) AS rest, max(total) AS total, count(*) AS items
    FROM items
    GROUP BY order_id
), freights AS ( -- the shop rounds each amount by itself: what is lacking to the total is freight, if rounding explains it
    SELECT
        order_id,
        pieces,
        price,
        rest + CASE WHEN abs(total - price - rest) <= items + 2 THEN total - price - rest ELSE 0 END AS freight
    FROM orders
), discounts AS (
    SELECT
        items.order_id,
        items.item,
        row_number() OVER in_order AS place,
        coalesce(sum(items.pieces) OVER in_order, 0) - coalesce(items.pieces, 0) AS pieces_before,
        coalesce(freights.pieces, 1) AS order_pieces,
        CASE WHEN freights.freight < 0 THEN 0 ELSE freights.freight END AS freight,
        coalesce(-least(freights.freight, 0), 0) AS discount,
        coalesce(items.price * -least(freights.freight, 0) // nullif(freights.price, 0), 0) AS share,
        coalesce(items.price * -least(freights.freight, 0) % nullif(freights.price, 0), 0) AS remainder
    FROM items
    JOIN freights ON freights.order_id IS NOT DISTINCT FROM items.order_id
    WINDOW in_order AS (
        PARTITION BY items.order_id ORDER BY TRY_CAST(items.item AS BIGINT), items.item ROWS UNBOUNDED PRECEDING
    )
), parted AS (
    SELECT
        order_id,
        item,
        pieces_before,
        order_pieces,
        freight,
        share + CASE
            WHEN row_number() OVER (PARTITION BY order_id ORDER BY remainder DESC, place)
                <= discount - sum(share) OVER (PARTITION BY order_id)
            THEN 1
            ELSE 0
        END AS discount
    FROM discounts
), pieces AS (
    SELECT
        charged.line,
        charged.order_id,
        charged.pieces,
        CAST(round(charged.price * 100) AS HUGEINT) - parted.discount AS price,
        parted.freight,
        parted.order_pieces,
        parted.pieces_before,
        unnest(range(1, coalesce(charged.pieces, 1) + 1)) AS piece
    FROM charged
    JOIN parted ON parted.order_id IS NOT DISTINCT FROM charged.order_id AND parted.item = charged.item
)
SELECT
    line,
    id('order', pieces.order_id) AS order_id,
    coalesce(
        CASE WHEN pieces.pieces IS NOT NULL THEN CAST(pieces_before + piece AS VARCHAR) END,
        'item_quantity ' || item_quantity
    ) AS order_item_id,
    id(
        'product',
        coalesce(nullif(item_sku, 'unknown_product'), '#' || nullif(item_product_id, '0'), item_name)
    ) AS product_id,
    coalesce(
        CAST(
            0.01 * CAST(
                price // coalesce(pieces, 1) + CASE WHEN piece <= price % coalesce(pieces, 1) THEN 1 ELSE 0 END
                AS DECIMAL(18, 0)
            ) AS VARCHAR
        ),
        item_total || coalesce(' + ' || item_total_tax, '')
    ) AS price,
    coalesce(
        CAST(
            0.01 * CAST(
                freight // order_pieces + CASE WHEN pieces_before + piece <= freight % order_pieces THEN 1 ELSE 0 END
                AS DECIMAL(18, 0)
            ) AS VARCHAR
        ),
        concat_ws(' + ', shipping_total, shipping_tax_total, fee_total, fee_tax_total)
    ) AS freight_value
FROM pieces
JOIN export USING (line)
