"""What columns and files are called elsewhere, in English, Portuguese and Spanish: by this they are known."""

import re
import unicodedata
from functools import cache

_UNSAID = frozenset({"a", "o", "e", "de", "do", "da", "dos", "das", "del", "la", "el", "los", "of", "the", "y"})
"""Words that make no difference."""

_ORDER = (
    *("order", "order id", "order no", "order nr", "order number", "order name", "order key"),
    *("pedido", "pedido id", "id pedido", "no pedido", "n pedido", "num pedido", "numero pedido", "nr pedido"),
    *("codigo pedido", "cod pedido", "numero", "encomenda", "n encomenda", "numero encomenda", "orden", "id orden"),
    *("numero orden", "num orden", "n orden"),
)
_ZIP = (
    *("zip", "zip code", "zipcode", "zip prefix", "postal code", "postcode", "post code", "shipping zip"),
    *("cep", "cep entrega", "codigo postal", "cod postal", "cp", "customer zip", "customer cep"),
    *("billing postcode", "shipping postcode", "cliente cep", "address zip", "address cep"),
)
_CITY = (
    *("city", "town", "cidade", "cidade entrega", "municipio", "localidade", "ciudad", "shipping city"),
    *("customer city", "billing city", "cliente cidade", "address city"),
)
_STATE = (
    *("state", "province", "county", "region", "estado", "uf", "uf entrega", "provincia", "distrito", "shipping state"),
    *("customer state", "customer uf", "billing state", "cliente uf", "address state"),
)
_PRODUCT = (
    *("product", "sku", "item sku", "article", "article no", "product code", "product sku", "product no"),
    *("produto", "codigo produto", "cod produto", "id produto", "artigo", "referencia", "producto", "id producto"),
    *("codigo producto", "articulo", "product name", "item name", "ean", "item", "product title"),
)
_SELLER = (
    *("seller", "vendor", "vendor id", "merchant", "merchant id", "shop", "store"),
    *("vendedor", "id vendedor", "loja", "lojista", "tienda", "fornecedor", "proveedor"),
)
_METHOD = (
    *("payment method", "payment type", "method", "paid by", "payment", "gateway", "payment gateway"),
    *("forma pagamento", "meio pagamento", "metodo pagamento", "pagamento", "tipo pagamento"),
    *("forma pago", "metodo pago", "medio pago"),
)
_CUSTOMER = (
    *("customer", "customer no", "customer nr", "customer number", "customer id", "client", "client id", "buyer"),
    *("cliente", "id cliente", "codigo cliente", "cod cliente", "n cliente", "numero cliente", "comprador"),
    *("customer code", "person id"),
)
_MAIL = ("email", "e mail", "mail", "customer email", "customer mail", "cliente email", "email cliente", "correo")
_CATEGORY = ("category", "product category", "product type", "categoria", "departamento", "grupo", "familia")

WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "customers": {
        "customer_id": ("customer alias", *_CUSTOMER),
        "customer_unique_id": (*_MAIL, "correo electronico", "cpf", "nif", "dni", *_CUSTOMER),
        "customer_zip_code_prefix": _ZIP,
        "customer_city": _CITY,
        "customer_state": _STATE,
    },
    "geolocation": {
        "geolocation_zip_code_prefix": _ZIP,
        "geolocation_lat": ("lat", "latitude", "latitud"),
        "geolocation_lng": ("lng", "lon", "long", "longitude", "longitud"),
        "geolocation_city": _CITY,
        "geolocation_state": _STATE,
    },
    "order_items": {
        "order_id": _ORDER,
        "order_item_id": (
            *("item no", "item number", "line no", "line number", "position", "pos", "no", "seq"),
            *("linha", "n linha", "posicao", "sequencia", "linea", "n linea", "posicion"),
        ),
        "product_id": _PRODUCT,
        "seller_id": _SELLER,
        "shipping_limit_date": (
            *("ship by", "ship until", "dispatch until", "shipping limit", "limite envio", "limite postagem"),
            *("enviar ate", "postar ate", "enviar hasta"),
        ),
        "price": (
            *("price", "unit price", "item price", "price each", "line price", "amount", "item total"),
            *("preco", "preco unitario", "preco unit", "valor unitario", "valor unit", "vl unitario", "valor item"),
            *("valor", "precio", "precio unitario", "importe"),
        ),
        "freight_value": (
            *("freight", "shipping", "shipping cost", "shipping price", "shipping total", "delivery cost"),
            *("frete", "valor frete", "portes", "envio", "costo envio", "gastos envio"),
        ),
    },
    "order_payments": {
        "order_id": _ORDER,
        "payment_sequential": ("payment no", "payment number", "sequence", "sequencia"),
        "payment_type": _METHOD,
        "payment_installments": ("installments", "instalments", "parcelas", "n parcelas", "cuotas"),
        "payment_value": (
            *("payment amount", "amount paid", "paid", "total paid", "total", "order total", "grand total", "value"),
            *("total price", "valor total", "total pedido", "valor pago", "valor pagamento", "valor", "amount"),
            *("importe", "importe total", "total pago", "total encomenda"),
        ),
    },
    "order_reviews": {
        "review_id": ("review", "review no", "review number", "id avaliacao", "avaliacao", "id resena"),
        "order_id": _ORDER,
        "review_score": ("score", "rating", "stars", "nota", "estrelas", "puntuacion", "estrellas", "calificacion"),
        "review_comment_title": ("title", "comment title", "review title", "titulo"),
        "review_comment_message": (
            *("comment", "message", "review text", "review comment", "text", "comentario", "mensagem", "texto"),
        ),
        "review_creation_date": (
            *("reviewed at", "review date", "created at", "creation date", "date", "data", "data avaliacao"),
            *("fecha", "fecha resena"),
        ),
        "review_answer_timestamp": ("answered at", "answer date", "data resposta", "fecha respuesta"),
    },
    "orders": {
        "order_id": (*_ORDER, "id", "no", "number", "name"),
        "customer_id": _CUSTOMER,
        "order_status": (
            *("status", "state order", "fulfillment status", "order state", "situacao", "estado pedido"),
            *("status pedido", "situacao pedido", "estado", "estado encomenda", "situacion", "estatus"),
        ),
        "order_purchase_timestamp": (
            *("placed", "placed at", "order date", "ordered", "ordered at", "created", "created at", "date"),
            *("purchase date", "purchased at", "date created", "order placed", "timestamp", "datetime"),
            *("data", "data pedido", "data compra", "data hora", "criado em", "data criacao", "data encomenda"),
            *("fecha", "fecha pedido", "fecha compra", "fecha orden", "creado", "fecha creacion"),
        ),
        "order_approved_at": (
            *("approved", "approved at", "paid at", "payment date", "date paid", "paid on"),
            *("data pagamento", "pago em", "data aprovacao", "aprovado em", "fecha pago"),
        ),
        "order_delivered_carrier_date": (
            *("shipped", "shipped at", "dispatched", "dispatched at", "shipping date", "ship date", "fulfilled at"),
            *("sent at", "data envio", "enviado", "enviado em", "data postagem", "postado em", "despachado em"),
            *("fecha envio", "fecha despacho"),
        ),
        "order_delivered_customer_date": (
            *("delivered", "delivered at", "delivery date", "completed at", "date delivered", "arrived"),
            *("data entrega", "entregue", "entregue em", "entrega", "fecha entrega", "entregado"),
        ),
        "order_estimated_delivery_date": (
            *("promised", "promised by", "due", "due date", "estimated delivery", "expected delivery", "deliver by"),
            *("previsao", "previsao entrega", "prazo", "prazo entrega", "entrega prevista", "data prevista"),
            *("entrega estimada", "fecha prevista", "fecha estimada", "entrega ate"),
        ),
    },
    "products": {
        "product_id": _PRODUCT,
        "product_category_name": _CATEGORY,
        "product_name_lenght": ("product name length", "name length"),
        "product_description_lenght": ("product description length", "description length"),
        "product_photos_qty": ("photos", "product photos", "number photos", "fotos", "images", "imagens"),
        "product_weight_g": ("weight", "weight g", "weight grams", "peso", "peso g", "peso gramas", "peso gramos"),
        "product_length_cm": ("length", "length cm", "comprimento", "comprimento cm", "largo", "largo cm"),
        "product_height_cm": ("height", "height cm", "altura", "altura cm", "alto", "alto cm"),
        "product_width_cm": ("width", "width cm", "largura", "largura cm", "ancho", "ancho cm"),
    },
    "sellers": {
        "seller_id": _SELLER,
        "seller_zip_code_prefix": ("seller zip", "vendor zip", "cep vendedor", *_ZIP),
        "seller_city": ("seller city", "vendor city", "cidade vendedor", *_CITY),
        "seller_state": ("seller state", "vendor state", "uf vendedor", *_STATE),
    },
    "categories": {
        "product_category_name": ("category", "category name", "categoria"),
        "product_category_name_english": ("english", "english name", "category english", "translation", "ingles"),
    },
}
"""What else the columns of each record are called."""

QUANTITY = (
    *("quantity", "qty", "item quantity", "pieces", "units", "count", "quantidade", "qtd", "qtde", "quant"),
    *("unidades", "cantidad", "cant"),
)
"""What a column is called that says of how many pieces a line is."""

CURRENCY = ("currency", "currency code", "order currency", "moeda", "divisa", "moneda")

FILES: dict[str, tuple[str, ...]] = {
    "orders": ("order", "pedido", "encomenda", "orden", "sale", "venda", "venta"),
    "customers": ("customer", "client", "buyer", "person", "people", "comprador"),
    "order_items": ("item", "iten", "line", "linha", "linea", "detail", "detalhe", "detalle", "position"),
    "order_payments": ("payment", "pagamento", "pago", "transaction"),
    "order_reviews": ("review", "rating", "avaliac", "resena", "opini", "comment"),
    "products": ("product", "produto", "article", "artigo", "articulo", "catalog", "sku"),
    "sellers": ("seller", "vendor", "vendedor", "merchant", "loja", "tienda", "store"),
    "geolocation": ("geo", "zip", "cep", "place"),
    "categories": ("categor", "translation"),
}
"""How the name of a file begins, or a word of it, that holds records of a kind."""

STATUSES: dict[str, tuple[str, ...]] = {
    "created": ("created", "new", "open", "pending", "novo", "aberto", "criado", "pendente", "nuevo", "pendiente"),
    "approved": (
        *("approved", "paid", "confirmed", "accepted", "pago", "aprovado", "confirmado", "pagado", "aceite"),
        *("aceito", "pagamento aprovado"),
    ),
    "invoiced": ("invoiced", "billed", "faturado", "facturado", "nota emitida"),
    "processing": (
        *("processing", "in progress", "packing", "preparing", "em separacao", "separacao", "em preparacao"),
        *("processando", "em processamento", "preparando", "en proceso", "procesando", "on hold"),
    ),
    "shipped": (
        *("shipped", "sent", "sent off", "dispatched", "in transit", "fulfilled", "enviado", "postado"),
        *("despachado", "em transito", "expedido", "en transito", "en camino"),
    ),
    "delivered": (
        *("delivered", "completed", "complete", "done", "received", "arrived", "entregue", "concluido"),
        *("finalizado", "recebido", "entregado", "completado", "recibido", "closed"),
    ),
    "canceled": (
        *("canceled", "cancelled", "refunded", "returned", "void", "voided", "cancelado", "devolvido"),
        *("estornado", "anulado", "reembolsado", "devuelto", "cancelada"),
    ),
    "unavailable": ("unavailable", "out stock", "sold out", "indisponivel", "sem estoque", "agotado", "esgotado"),
}
"""Words for the eight statuses."""


@cache
def in_words(name: str) -> str:
    """A name as words in small letters, without accents: `orderNo`, `Order-No` and `order_no` are one."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|\((?:[A-Z]{3}|[A-Z]{0,3}[$€£])\)", " ", name)
    decomposed = unicodedata.normalize("NFKD", parted.replace("\u00ba", " ").replace("\u00b0", " "))
    plain = "".join(mark for mark in decomposed if not unicodedata.combining(mark))
    words = re.findall(r"[^\W_]+", plain.lower())
    return " ".join([word for word in words if word not in _UNSAID] or words)


def status_of(word: str) -> str | None:
    """Which of the eight statuses a word of a source probably is."""
    plain = in_words(word)
    return next((status for status, words in STATUSES.items() if plain in words), None)
