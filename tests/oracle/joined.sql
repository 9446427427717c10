-- What stands on the folded tables of several streams: the product view (R38) and the range of the calendar (R15).

CREATE TABLE marketplace.dim_product AS
SELECT p.product_id, p.category, c.english AS category_english,
    p.name_length, p.description_length, p.photos, p.weight_g, p.length_cm, p.height_cm, p.width_cm, p.volume_cm3
FROM marketplace.product AS p
LEFT JOIN marketplace.dim_category AS c USING (category);

-- A time more than two years after the day on which the load was opened does not count.
CREATE TABLE reading.calendar_end AS
SELECT coalesce(max(year(moment)) + 1, 2017) AS last_year
FROM (
    SELECT unnest([placed_at, approved_at, shipped_at, completed_at, promised_by]) AS moment FROM sales.fact_order
    UNION ALL
    SELECT ship_by FROM sales.fact_order_item
    UNION ALL
    SELECT unnest([created_at, answered_at]) FROM customer.fact_review
) AS business_times
WHERE CAST(moment AS DATE) <= CAST(getvariable('opened_on') AS DATE) + INTERVAL 2 YEARS;
