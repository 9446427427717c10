-- Each piece is an item. Its price is its part of the line after discounts, those of the line and of the order; what else
-- was charged for the order (shipping, duties, tax that prices do not include) is freight, the same for each piece. Amounts
-- are parted in cents, by largest remainder, so that prices and freight add up to the order's total.
WITH numbered AS ( -- a second row with what is of the whole order begins the same order again
    SELECT
        line,
        coalesce("Name", 'line ' || line) AS name,
        count("Total") OVER (PARTITION BY "Name" ORDER BY line) AS copy
    FROM export
), charged AS ( -- what can be read as a number, per row
    SELECT
        line,
        numbered.name,
        row_number() OVER (PARTITION BY numbered.name, copy ORDER BY line) AS item,
        CAST(round(100 * amount("Lineitem price")) AS HUGEINT) AS price,
        CAST(round(100 * amount(coalesce("Lineitem discount", '0'))) AS HUGEINT) AS discount,
        CAST(round(100 * amount("Subtotal")) AS HUGEINT) AS subtotal,
        CAST(round(100 * amount(coalesce("Discount Amount", '0'))) AS HUGEINT) AS discounts,
        CAST(round(100 * amount(coalesce("Shipping", '0'))) AS HUGEINT) AS shipping,
        CAST(round(100 * amount(coalesce("Taxes", '0'))) AS HUGEINT) AS taxes,
        CAST(round(100 * amount(coalesce("Duties", '0'))) AS HUGEINT) AS duties,
        CAST(round(100 * amount("Total")) AS HUGEINT) AS total,
        "Total" IS NOT NULL AS is_first,
        -- nobody wants a row for each of more than a thousand pieces
        CASE
            WHEN regexp_full_match("Lineitem quantity", '0*([1-9][0-9]{0,2}|1000)') THEN "Lineitem quantity"::INTEGER
        END AS pieces
    FROM export
    JOIN numbered USING (line)
), items AS ( -- a row that stands twice is one item
    SELECT
        name,
        item,
        max(pieces) AS pieces,
        max(price * coalesce(pieces, 1) - discount) AS price,
        max(discount) AS discount
    FROM charged
    GROUP BY name, item
), sold AS (
    SELECT
        name,
        sum(pieces) AS pieces,
        sum(price) AS price,
        sum(discount) AS discount,
        count(*) AS items
    FROM items
    GROUP BY name
), wholes AS (
    SELECT
        name,
        max(subtotal) AS subtotal,
        max(discounts) AS discounts,
        max(shipping) AS shipping,
        max(taxes) AS taxes,
        max(duties) AS duties,
        max(total) AS total
    FROM charged
    WHERE is_first
    GROUP BY name
), discounted AS ( -- what lines are above the subtotal, if the shop names it as a discount, with those of lines or without
    SELECT
        name,
        sold.pieces,
        sold.price,
        items,
        shipping,
        taxes,
        duties,
        total,
        discounts,
        CASE
            WHEN least(
                abs(sold.price - subtotal - discounts),
                abs(sold.price - subtotal - discounts + sold.discount),
                abs(sold.price - subtotal - discounts + shipping), -- shipping is free by a code
                abs(sold.price - subtotal - discounts + sold.discount + shipping)
            ) <= items
            THEN greatest(sold.price - subtotal, 0)
            ELSE 0
        END AS discount
    FROM sold
    LEFT JOIN wholes USING (name)
), freights AS ( -- what is then lacking to the total, if shipping explains it, with duties and tax or without
    SELECT
        name,
        pieces,
        price,
        discount,
        CASE
            WHEN total - price + discount >= 0 AND least(
                abs(total - price + discount - shipping),
                abs(total - price + discount - shipping - taxes),
                abs(total - price + discount - shipping - duties),
                abs(total - price + discount - shipping - taxes - duties),
                CASE
                    WHEN discounts >= discount + shipping -- which is free by a code
                    THEN least(
                        abs(total - price + discount),
                        abs(total - price + discount - taxes),
                        abs(total - price + discount - duties),
                        abs(total - price + discount - taxes - duties)
                    )
                END
            ) <= items + 2
            THEN total - price + discount
            ELSE shipping
        END AS freight
    FROM discounted
), shares AS (
    SELECT
        name,
        item,
        coalesce(sum(items.pieces) OVER in_order, 0) - coalesce(items.pieces, 0) AS pieces_before,
        coalesce(freights.pieces, 1) AS order_pieces,
        freights.freight,
        freights.discount,
        coalesce(items.price * freights.discount // nullif(freights.price, 0), 0) AS share,
        coalesce(items.price * freights.discount % nullif(freights.price, 0), 0) AS remainder
    FROM items
    JOIN freights USING (name)
    WINDOW in_order AS (PARTITION BY name ORDER BY item ROWS UNBOUNDED PRECEDING)
), parted AS (
    SELECT
        name,
        item,
        pieces_before,
        order_pieces,
        freight,
        share + CASE
            WHEN row_number() OVER (PARTITION BY name ORDER BY remainder DESC, item)
                <= discount - sum(share) OVER (PARTITION BY name)
            THEN 1
            ELSE 0
        END AS discount
    FROM shares
), pieces AS (
    SELECT
        charged.line,
        charged.pieces,
        charged.price * coalesce(charged.pieces, 1) - charged.discount - parted.discount AS price,
        parted.freight,
        parted.order_pieces,
        parted.pieces_before,
        unnest(range(1, coalesce(charged.pieces, 1) + 1)) AS piece
    FROM charged
    JOIN parted USING (name, item)
), firsts AS (
    SELECT "Name" AS of_order, arg_min(concat_ws(' + ', "Shipping", "Taxes", "Duties"), line) AS rest
    FROM export
    WHERE "Total" IS NOT NULL
    GROUP BY "Name"
)
SELECT
    pieces.line,
    id('order', export."Name") AS order_id,
    coalesce(
        CASE WHEN pieces.pieces IS NOT NULL THEN CAST(pieces_before + piece AS VARCHAR) END,
        'Lineitem quantity ' || "Lineitem quantity"
    ) AS order_item_id,
    id('product', coalesce(nullif(trim("Lineitem sku"), ''), "Lineitem name")) AS product_id,
    CASE WHEN "Vendor" IS NOT NULL THEN id('seller', "Vendor") END AS seller_id,
    coalesce(
        CAST(
            0.01 * CAST(
                price // coalesce(pieces, 1) + CASE WHEN piece <= price % coalesce(pieces, 1) THEN 1 ELSE 0 END
                AS DECIMAL(18, 0)
            ) AS VARCHAR
        ),
        "Lineitem price" || coalesce(' - ' || "Lineitem discount", '')
    ) AS price,
    coalesce(
        CAST(
            0.01 * CAST(
                freight // order_pieces + CASE WHEN pieces_before + piece <= freight % order_pieces THEN 1 ELSE 0 END
                AS DECIMAL(18, 0)
            ) AS VARCHAR
        ),
        firsts.rest
    ) AS freight_value
FROM pieces
JOIN export USING (line)
LEFT JOIN firsts ON firsts.of_order = export."Name"
