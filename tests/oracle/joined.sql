-- What stands on the folded tables of several streams: the product view (R38) and the range of the calendar (R15).

CREATE TABLE marketplace.dim_product AS
SELECT p.product_id, p.category, c.english AS category_english,
    p.name_length, p.description_length, p.photos, p.weight_g, p.length_cm, p.height_cm, p.width_cm, p.volume_cm3
FROM marketplace.product AS p
LEFT JOIN marketplace.dim_category AS c USING (category);

CREATE TABLE reading.calendar_end AS
SELECT coalesce(max(year(latest)) + 1, 2017) AS last_year
FROM (
    SELECT greatest(max(placed_at), max(approved_at), max(shipped_at), max(completed_at), max(promised_by)) AS latest
    FROM sales.fact_order
    UNION ALL
    SELECT max(ship_by) FROM sales.fact_order_item
    UNION ALL
    SELECT greatest(max(created_at), max(answered_at)) FROM customer.fact_review
) AS business_times;
