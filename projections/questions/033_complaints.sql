-- number = 33
-- group = "Customer Satisfaction Metrics"
-- title = "What do unhappy customers write about?"
-- columns = "theme* reviews# share_pct one_star_pct"
-- key = ["theme"]
-- chart = { kind = "bar", x = "theme", y = ["reviews"] }
-- finding = [
--   "Of {all.reviews} negative [review|reviews] with a text, most are about '{top(reviews).theme}': {top(reviews).share_pct}, and {top(reviews).one_star_pct} of these give one star.",
--   "No customer has written why they are unhappy.",
-- ]
-- definition = """
-- Written negative reviews: all, nine themes, 'other' (no theme). A theme applies if the text contains one of its
-- stems; themes overlap; share_pct of all such reviews. one_star_pct: score 1. Stems: not received: nao receb|nao
-- cheg|nao foi entreg|nao entreg|nunca cheg|nunca receb|ainda nao; late: atras|demor|prazo; wrong or incomplete:
-- errad|diferente|falt|incomplet|trocad|outro produto|apenas um|so veio|so recebi|metade; defective:
-- defeit|quebrad|danific|estrag|nao funcion|amassad|rasgad|avaria; poor quality:
-- qualidade|fragil|ruim|pessim|inferior|horrivel; not genuine: fals|pirat|replica|nao e original; refund or
-- exchange: devol|estorn|reembols|cancel|dinheiro|troca; poor service:
-- atendimento|contato|respond|resposta|retorno|descaso|reclam; invoice: nota fiscal. Sort: all, -reviews, theme.
-- """
-- caveat = "Fixed stems stand for language analysis."
-- terms = ["review"]
-- [made_of]
-- share_pct = ["reviews"]
-- one_star_pct = ["one_star", "reviews"]

-- answer:
WITH listed (theme) AS (
    VALUES
        ('all'), ('not received'), ('late'), ('wrong or incomplete'), ('defective'), ('poor quality'), ('not genuine'),
        ('refund or exchange'), ('poor service'), ('invoice'), ('other')
), counted AS (
    SELECT theme, count(*) AS n, count(*) FILTER (WHERE score = 1) AS one_star
    FROM reviews
    CROSS JOIN LATERAL unnest('{all}' || CASE WHEN themes = '{}' THEN '{other}' ELSE themes END) AS of_row (theme)
    WHERE themes IS NOT NULL
    GROUP BY theme
)
SELECT
    theme,
    coalesce(n, 0)::int AS reviews,
    coalesce(round(100.0 * n / max(n) OVER (), 2), 0.00) AS share_pct,
    round(100.0 * one_star / n, 2) AS one_star_pct
FROM listed LEFT JOIN counted USING (theme)
ORDER BY theme <> 'all', reviews DESC, theme COLLATE "C"

-- rows:
SELECT theme, measure, 'customer.fact_review' AS "table", review_id || '/' || order_id AS key, part
FROM reviews
CROSS JOIN LATERAL unnest('{all}' || CASE WHEN themes = '{}' THEN '{other}' ELSE themes END) AS of_row (theme)
CROSS JOIN LATERAL (VALUES ('reviews', 1), ('one_star', (score = 1)::int)) AS figure (measure, part)
WHERE themes IS NOT NULL AND part <> 0
