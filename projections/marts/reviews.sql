-- comment = "The reviews, with what their order is, and what unhappy customers write about: no text of theirs"
-- key = ["review_id", "order_id"]
-- personal = ["themes"]
-- [columns]
-- review_id = "the review"
-- order_id = "the order that it is on"
-- customer_id = "the person who ordered"
-- score = "1 to 5"
-- created_at = "when it was asked for"
-- is_written = "it has a text: title or comment, more than blanks and marks"
-- themes = "what the text of a negative review complains of: the themes one of whose stems it contains; null for others"
-- placed_at = "when the order was placed"
-- is_delivered = "the order is delivered"
-- is_lost = "the order is canceled or unavailable"
-- is_valid = "the order is not lost"
-- is_delivery = "the order is delivered, at a known time"
-- delivery_seconds = "from placing to delivery; of deliveries only"
-- days_late = "calendar days after the promised date; of deliveries with a promise only"
-- state = "state of the order"
-- region = "region of the order"
-- position = "newest event that went in"

-- query:
WITH said AS (
    SELECT review_id, order_id, score, concat(title, ' ', comment) AS words
    FROM fact_review
    WHERE title IS NOT NULL OR comment IS NOT NULL
), written AS (  -- a sign of ASCII's stays whatever is normalised: of most texts no more need be known
    SELECT review_id, order_id, words ~ '[!-~]' OR read_model.normalised(words) <> '' AS is_written
    FROM said
), negative AS MATERIALIZED (
    SELECT review_id, order_id, read_model.normalised(words) AS words FROM said WHERE score <= 2
), complaint AS (  -- words that are looked for one by one: a pattern of several costs twice as much
    SELECT
        review_id,
        order_id,
        array_remove(ARRAY[
            CASE WHEN words LIKE ANY ('{%nao receb%, %nao cheg%, %nao foi entreg%, %nao entreg%,
                %nunca cheg%, %nunca receb%, %ainda nao%}') THEN 'not received' END,
            CASE WHEN words LIKE ANY ('{%atras%, %demor%, %prazo%}') THEN 'late' END,
            CASE WHEN words LIKE ANY ('{%errad%, %diferente%, %falt%, %incomplet%, %trocad%, %outro produto%,
                %apenas um%, %so veio%, %so recebi%, %metade%}') THEN 'wrong or incomplete' END,
            CASE WHEN words LIKE ANY ('{%defeit%, %quebrad%, %danific%, %estrag%, %nao funcion%,
                %amassad%, %rasgad%, %avaria%}') THEN 'defective' END,
            CASE WHEN words LIKE ANY ('{%qualidade%, %fragil%, %ruim%, %pessim%, %inferior%, %horrivel%}')
                THEN 'poor quality' END,
            CASE WHEN words LIKE ANY ('{%fals%, %pirat%, %replica%, %nao e original%}') THEN 'not genuine' END,
            CASE WHEN words LIKE ANY ('{%devol%, %estorn%, %reembols%, %cancel%, %dinheiro%, %troca%}')
                THEN 'refund or exchange' END,
            CASE WHEN words LIKE ANY ('{%atendimento%, %contato%, %respond%, %resposta%,
                %retorno%, %descaso%, %reclam%}') THEN 'poor service' END,
            CASE WHEN words LIKE ANY ('{%nota fiscal%}') THEN 'invoice' END
        ], NULL) AS themes
    FROM negative
    WHERE words <> ''
)
SELECT
    v.review_id,
    v.order_id,
    o.customer_id,
    v.score,
    v.created_at,
    coalesce(w.is_written, false) AS is_written,
    c.themes,
    o.placed_at,
    o.is_delivered,
    o.is_lost,
    o.is_valid,
    o.is_delivery,
    o.delivery_seconds,
    o.days_late,
    o.state,
    o.region,
    greatest(o.position, v.position) AS position
FROM fact_review AS v
JOIN orders AS o USING (order_id)
LEFT JOIN written AS w USING (review_id, order_id)
LEFT JOIN complaint AS c USING (review_id, order_id)
ORDER BY o.placed_at, v.order_id, v.review_id
