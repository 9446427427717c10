-- customer.fact_review: R35. From the staging tables alone, so that it need not wait for sales.sql.

CREATE TABLE customer.fact_review AS
SELECT v.review_id, v.order_id, coalesce(c.customer_unique_id, '00000000-0000-0000-0000-000000000000') AS customer_id,
    v.review_score AS score,
    CASE WHEN v.review_score >= 4 THEN 'positive' WHEN v.review_score = 3 THEN 'neutral' ELSE 'negative' END AS sentiment,
    v.review_comment_title AS title, v.review_comment_message AS comment, v.review_creation_date AS created_at,
    v.review_answer_timestamp AS answered_at, to_char(v.review_creation_date, 'YYYYMMDD')::int AS date_key,
    round(extract(epoch FROM v.review_answer_timestamp - v.review_creation_date) / 3600, 2)::numeric(10, 2)
        AS hours_to_answer,
    0::bigint AS position
FROM staging.order_reviews AS v
JOIN staging.orders AS o USING (order_id)
LEFT JOIN staging.customers AS c USING (customer_id);
ALTER TABLE customer.fact_review ADD PRIMARY KEY (review_id, order_id);
