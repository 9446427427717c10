"""What reviewers write: short Portuguese sentences by mood, to be combined."""

GLAD_TITLES = (
    "Recomendo",
    "Super recomendo",
    "Ótimo",
    "Muito bom",
    "Excelente",
    "Perfeito",
    "Gostei",
    "10",
    "Nota mil ",
)
CALM_TITLES = ("Bom", "Regular", "Ok", "Mais ou menos", "Produto razoável", "Esperava mais")
ANGRY_TITLES = ("Péssimo", "Não recomendo", "Não recebi", "Atraso", "Decepção", "Veio errado", "Quero meu dinheiro")

GLAD = (
    "Chegou antes do prazo combinado.",
    "Produto muito bem embalado, sem nenhum arranhão.",
    "Exatamente como na foto.",
    "Adorei, já quero comprar outro!",
    "Loja nota 10, parabéns",
    "A qualidade surpreendeu pelo preço, recomendo.",
    "Entrega rápida e material resistente.",
    "Minha mãe amou o presente 😍",
    "É a terceira compra nesta loja; nunca tive problemas.",
    "tudo certo, obrigada ",
    'Como diz o anúncio: "pronto para usar".',
    "Montagem fácil, manual claro e acabamento caprichado.",
)
CALM = (
    "O produto é bom, mas a caixa veio amassada.",
    "Cumpre o que promete, nada além disso.",
    "A cor é um pouco diferente da foto, porém serve.",
    "Demorou mais do que eu gostaria",
    'Achei pequeno; o tamanho "único" engana.',
    "Ainda não testei, depois volto para avaliar.",
    "O frete saiu quase o valor da peça.",
    "Funciona, embora faça barulho.",
)
ANGRY = (
    "Veio com defeito e ninguém responde.",
    "Comprei dois e chegou somente um, cadê o resto?",
    "Material frágil, quebrou no primeiro dia.",
    "Mandaram a voltagem errada!!!",
    "Tentei trocar: três e-mails, nenhuma resposta.",
    "Não é o modelo que aparece no anúncio, é outro inferior.",
    'O atendente disse "aguarde" e desligou.',
    "Falta a nota fiscal e uma das peças.",
)
WAITING = (
    "Passou do prazo e nada do pedido.",
    "Até agora não recebi, e o rastreio não muda há dias.",
    "Cancelaram minha compra sem avisar.",
    "Já foi debitado no cartão, mas o produto não chegou.",
    "Ninguém sabe informar onde está a encomenda.",
    "Quero a devolução do valor pago.",
)

JOINTS = ((" ", 70), ("\r\n", 18), ("\r\n\r\n", 5), ("\n", 5), (" \r\n", 2))
"""What stands between two sentences, and how often: people press the return key, on Windows and elsewhere."""

QUIRKY_COMMENT = '"Muito bom", disse ela;\r\n\r\ncomprei 2, chegaram 2.\nVoltarei a comprar ""sempre"".\r\n'
"""Quotes first, doubled and last, commas, and both kinds of line ends inside one cell."""
BLANK_COMMENT = "  "
