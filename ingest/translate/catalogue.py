"""Products, sellers, categories and zip prefixes: each decided on by itself."""

from replayhouse.domain.fulfillment.area import area_of, area_stream_id, survey
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.marketplace.category import category_of, category_stream_id, notice, translate
from replayhouse.domain.marketplace.product import observe as observe_product
from replayhouse.domain.marketplace.product import product_of
from replayhouse.domain.marketplace.seller import observe as observe_seller
from replayhouse.domain.marketplace.seller import seller_of
from replayhouse.ingest.decision import Decision, Known, lines_of, source_of
from replayhouse.ingest.translate.unsaid import as_known
from replayhouse.ingest.work import AreaWork, CategoryWork, ProductWork, SellerWork


def decide_product(work: ProductWork, known: Known) -> list[Decision]:
    """What a product's row tells."""
    source = lines_of("products", [work.line])
    product = product_of(known.events("marketplace", work.key))
    events = observe_product(product, as_known(work.product, work.unsaid, product))
    return [Decision("marketplace", work.key, event, source) for event in events]


def decide_seller(work: SellerWork, known: Known) -> list[Decision]:
    """What a seller's row tells."""
    source = lines_of("sellers", [work.line])
    seller = seller_of(known.events("marketplace", work.key))
    events = observe_seller(seller, as_known(work.seller, work.unsaid, seller), work.region)
    return [Decision("marketplace", work.key, event, source) for event in events]


def decide_category(work: CategoryWork, known: Known) -> list[Decision]:
    """A category is translated, or noticed in a product while nobody has translated it (R36)."""
    stream_id = category_stream_id(work.name)
    category = category_of(known.events("marketplace", stream_id))
    events: tuple[DomainEvent, ...]
    if work.english is not None and work.line is not None:
        source = lines_of("categories", [work.line])
        events = translate(category, work.name, work.english)
    else:
        source = lines_of("products", [work.product_line] if work.product_line is not None else [])
        events = notice(category, work.name)
    return [Decision("marketplace", stream_id, event, source_of(source)) for event in events]


def decide_area(work: AreaWork, known: Known) -> list[Decision]:
    """What the samples of a zip prefix tell of its place."""
    stream_id = area_stream_id(work.zip_prefix)
    area = area_of(known.events("fulfillment", stream_id))
    source = lines_of("geolocation", work.lines)
    return [Decision("fulfillment", stream_id, event, source) for event in survey(area, work.zip_prefix, work.samples)]
