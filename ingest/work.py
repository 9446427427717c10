"""What an extract shows, brought together by aggregate: the work of a load.

Rows are staged and found good; `line` is the physical line that a record starts on, the header being 1. A *family* is
everything that is decided together and appended together: a person with all their orders, or one product, seller,
category or zip prefix. `unsaid` are the fields of a row whose column the extract lacks: they are None in the row,
and stay as they are known (`replayhouse.ingest.translate.unsaid`).
"""

from dataclasses import dataclass, field
from enum import IntEnum
from uuid import UUID

from replayhouse.domain.customer.customer import Address
from replayhouse.domain.customer.review import ReviewFacts
from replayhouse.domain.fulfillment.area import Sample
from replayhouse.domain.marketplace.product import ProductFacts
from replayhouse.domain.marketplace.seller import SellerFacts
from replayhouse.domain.sales.events import Line
from replayhouse.domain.sales.order import OrderHeader, Payment


class Kind(IntEnum):
    """The kinds of families, in the order in which a bucket is worked through."""

    PERSON = 1
    PRODUCT = 2
    SELLER = 3
    CATEGORY = 4
    AREA = 5


@dataclass(slots=True)
class CustomerRow:
    """A record of the customers file: one alias of a person, with the address given there.

    `region` is that of the state, of a source with regions of its own.
    """

    line: int
    alias: UUID
    address: Address
    unsaid: tuple[str, ...] = ()
    region: str | None = None


@dataclass(slots=True)
class HeaderRow:
    """A record of the orders file."""

    line: int
    header: OrderHeader
    unsaid: tuple[str, ...] = ()


@dataclass(slots=True)
class ItemRow:
    """A record of the order_items file."""

    line: int
    item: Line
    unsaid: tuple[str, ...] = ()


@dataclass(slots=True)
class PaymentRow:
    """A record of the order_payments file."""

    line: int
    payment: Payment
    unsaid: tuple[str, ...] = ()


@dataclass(slots=True)
class ReviewRow:
    """A record of the order_reviews file, with the person behind its order."""

    line: int
    review: ReviewFacts
    unsaid: tuple[str, ...] = ()


@dataclass(slots=True)
class OrderWork:
    """What an extract shows of one order; no header where only its lines, or people's addresses, are shown."""

    order_id: UUID
    header: HeaderRow | None = None
    items: list[ItemRow] = field(default_factory=list)
    payments: list[PaymentRow] = field(default_factory=list)
    reviews: list[ReviewRow] = field(default_factory=list)


@dataclass(slots=True)
class PersonWork:
    """A person's new and changed rows. `customer_id` is None where the family is an alias of nobody we know."""

    key: UUID
    customer_id: UUID | None
    customers: list[CustomerRow] = field(default_factory=list)
    orders: list[OrderWork] = field(default_factory=list)


@dataclass(slots=True)
class ProductWork:
    """A record of the products file."""

    key: UUID
    line: int
    product: ProductFacts
    unsaid: tuple[str, ...] = ()


@dataclass(slots=True)
class SellerWork:
    """A record of the sellers file; `region` as of a customer."""

    key: UUID
    line: int
    seller: SellerFacts
    unsaid: tuple[str, ...] = ()
    region: str | None = None


@dataclass(slots=True)
class CategoryWork:
    """A category that a product shows (`product_line`) or the translation names (`line` and `english`), or both."""

    key: UUID
    name: str
    line: int | None
    english: str | None
    product_line: int | None


@dataclass(slots=True)
class AreaWork:
    """All samples of a zip prefix in the geolocation file, and their lines."""

    key: UUID
    zip_prefix: str
    lines: list[int]
    samples: list[Sample]


Family = PersonWork | ProductWork | SellerWork | CategoryWork | AreaWork
