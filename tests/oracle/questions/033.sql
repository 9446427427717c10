-- Themes of unhappy reviews.
WITH themes (theme, stems) AS (
    VALUES
    ('not received', 'nao receb|nao cheg|nao foi entreg|nao entreg|nunca cheg|nunca receb|ainda nao'),
    ('late', 'atras|demor|prazo'),
    ('wrong or incomplete',
        'errad|diferente|falt|incomplet|trocad|outro produto|apenas um|so veio|so recebi|metade'),
    ('defective', 'defeit|quebrad|danific|estrag|nao funcion|amassad|rasgad|avaria'),
    ('poor quality', 'qualidade|fragil|ruim|pessim|inferior|horrivel'),
    ('not genuine', 'fals|pirat|replica|nao e original'),
    ('refund or exchange', 'devol|estorn|reembols|cancel|dinheiro|troca'),
    ('poor service', 'atendimento|contato|respond|resposta|retorno|descaso|reclam'),
    ('invoice', 'nota fiscal')
), written AS (
    SELECT review_id, order_id, score, words FROM q.reviews WHERE words <> '' AND score <= 2
), told AS (
    SELECT t.theme, w.review_id, w.order_id, w.score
    FROM written AS w
    JOIN themes AS t ON regexp_matches(w.words, t.stems)
    UNION ALL
    SELECT 'all', review_id, order_id, score FROM written
    UNION ALL
    SELECT 'other', w.review_id, w.order_id, w.score
    FROM written AS w
    WHERE NOT EXISTS (SELECT 1 FROM themes AS t WHERE regexp_matches(w.words, t.stems))
), listed AS (
    SELECT theme FROM themes UNION ALL SELECT 'all' UNION ALL SELECT 'other'
)
SELECT l.theme,
    CAST(count(t.score) AS INTEGER) AS reviews,
    q_share(count(t.score), count(t.score), (SELECT count(*) FROM written)) AS share_pct,
    q_pct(count(*) FILTER (t.score = 1), count(t.score)) AS one_star_pct
FROM listed AS l
LEFT JOIN told AS t USING (theme)
GROUP BY l.theme
ORDER BY l.theme = 'all' DESC, reviews DESC, l.theme
