"""The shape of a record of each file: how its cells are read (R2, R3) and what keeps it out by itself (R4).

The CSV's own names stop here: they are the aliases of the fields. Extracts are read set-wise in SQL, which is made from
these shapes (infra/staging/reading.py) and must agree with them to the letter, keys and fingerprints included; a test
feeds the same records to both.

A field with a default is an optional column: an extract may lack it, and what it lacks is no change of what is known.

What other sources do not know is not made up: `with_unknown` makes shapes of which some required cells may be empty.
Zips of theirs need not be Brazil's: `with_postcodes` makes shapes with any.
"""

import hashlib
import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum, auto
from typing import Annotated, Any, ClassVar, NamedTuple, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, create_model
from pydantic_core import PydanticCustomError

from replayhouse.domain.kernel.places import zip_prefix_of

STATUSES = ("created", "approved", "invoiced", "processing", "shipped", "delivered", "canceled", "unavailable")
FIRST_BROKEN = ("required_cells_filled", "values_readable", "statuses_known", "scores_in_range")
"""The rules that a record can break by itself; if it breaks several, the first of these is named."""

_ID = re.compile(r"[0-9a-fA-F]{32}")
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.0+)?)?")
_WHOLE = re.compile(r"(-?[0-9]{1,9})(?:\.0+)?")
_MONEY = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")
_ZIP = re.compile(r"[0-9]{1,5}")
_POSTCODE = re.compile(r" *([0-9A-Za-z](?:[0-9A-Za-z -]{0,8}[0-9A-Za-z])?) *")
_DEGREES = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class CellKind(StrEnum):
    """How the cells of a column are read, here and in SQL."""

    ID = auto()
    TIME = auto()
    WHOLE = auto()
    MONEY = auto()
    ZIP = auto()
    POSTCODE = auto()
    DEGREES = auto()
    TEXT = auto()
    STATUS = auto()
    SCORE = auto()


class Column(NamedTuple):
    """A column of a file, as the field of a record declares it; `name` is the CSV's own."""

    field: str
    name: str
    kind: CellKind
    may_be_empty: bool
    is_optional: bool
    """Whether an extract may lack the column."""


class Problem(NamedTuple):
    """The first rule that a record breaks by itself, and the column where it does."""

    rule: str
    column: str


def read_id(cell: str) -> UUID:
    """32 hexadecimal digits of either case. This and the other readers raise ValueError for anything else."""
    _must_match(_ID, cell)
    return UUID(cell)


def read_time(cell: str) -> datetime:
    """A real time `YYYY-MM-DD hh:mm:ss` without a zone, perhaps with a T or a fraction of zeros; a date is midnight."""
    year, month, day, hour, minute, second = _must_match(_TIME, cell).groups(default="0")
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second))


def read_whole(cell: str) -> int:
    """At most nine digits, perhaps with a minus sign, perhaps with a fraction of zeros."""
    return int(_must_match(_WHOLE, cell)[1])


def read_money(cell: str) -> Decimal:
    """An amount that is not negative, with at most ten digits before the point and two after it; to the cent."""
    _must_match(_MONEY, cell)
    return Decimal(cell).quantize(Decimal("0.01"))


def read_zip_prefix(cell: str) -> str:
    """One to five digits, padded with zeros to five."""
    _must_match(_ZIP, cell)
    return zip_prefix_of(cell)


def read_postcode(cell: str) -> str:
    """One to ten letters and digits, perhaps with blanks and hyphens between them, in capitals."""
    return _must_match(_POSTCODE, cell)[1].upper()


def read_degrees(cell: str) -> float:
    """A finite decimal number, perhaps with a minus sign or an exponent."""
    _must_match(_DEGREES, cell)
    degrees = float(cell)
    if not math.isfinite(degrees):
        raise ValueError(cell)
    return degrees


def read_text(cell: str) -> str:
    """Any text, as it is."""
    return cell


def _must_match(pattern: re.Pattern[str], cell: str) -> re.Match[str]:
    match = pattern.fullmatch(cell)
    if match is None:
        raise ValueError(cell)
    return match


def _status(cell: str) -> str:
    if cell not in STATUSES:
        raise PydanticCustomError("statuses_known", "is none of the eight statuses")
    return cell


def _score(cell: str) -> int:
    score = read_whole(cell)
    if not 1 <= score <= 5:
        raise PydanticCustomError("scores_in_range", "is not 1 to 5")
    return score


def _read(read: Callable[[str], object], cell: str) -> object:
    try:
        return read(cell)
    except PydanticCustomError:
        raise
    except ValueError as error:
        raise PydanticCustomError("values_readable", "cannot be read") from error


def _read_filled(read: Callable[[str], object], cell: str | None) -> object:
    if cell is None:
        raise PydanticCustomError("required_cells_filled", "is empty")
    return _read(read, cell)


def _optional(read: Callable[[str], object]) -> PlainValidator:
    return PlainValidator(lambda cell: None if cell is None else _read(read, cell))


def _required(read: Callable[[str], object]) -> PlainValidator:
    return PlainValidator(lambda cell: _read_filled(read, cell))


Id = Annotated[UUID, CellKind.ID, _required(read_id)]
IdOrNone = Annotated[UUID | None, CellKind.ID, _optional(read_id)]
Time = Annotated[datetime, CellKind.TIME, _required(read_time)]
TimeOrNone = Annotated[datetime | None, CellKind.TIME, _optional(read_time)]
Whole = Annotated[int, CellKind.WHOLE, _required(read_whole)]
WholeOrNone = Annotated[int | None, CellKind.WHOLE, _optional(read_whole)]
Money = Annotated[Decimal, CellKind.MONEY, _required(read_money)]
ZipPrefix = Annotated[str, CellKind.ZIP, _required(read_zip_prefix)]
Postcode = Annotated[str, CellKind.POSTCODE, _required(read_postcode)]
Degrees = Annotated[float, CellKind.DEGREES, _required(read_degrees)]
Text = Annotated[str, CellKind.TEXT, _required(read_text)]
TextOrNone = Annotated[str | None, CellKind.TEXT, _optional(read_text)]
Status = Annotated[str, CellKind.STATUS, _required(_status)]
Score = Annotated[int, CellKind.SCORE, _required(_score)]


class Record(BaseModel):
    """A record of some file, its fields in the order of the columns; columns that the source lacks are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)  # a load needs the declarations only
    natural_key: ClassVar[tuple[str, ...]]
    """The fields that tell records of the file apart."""

    @property
    def key(self) -> UUID:
        """The id itself where the file has one of its own, else the MD5 of the canonical natural key."""
        values = [getattr(self, name) for name in self.natural_key]
        if len(values) == 1 and isinstance(values[0], UUID):
            return values[0]
        return _fingerprint(values)

    @classmethod
    def columns(cls) -> tuple[Column, ...]:
        """The columns of the file in the order of the fields."""
        return tuple(
            Column(
                name,
                field.alias or name,
                next(kind for kind in field.metadata if isinstance(kind, CellKind)),
                type(None) in get_args(field.annotation),
                not field.is_required(),
            )
            for name, field in cls.model_fields.items()
        )

    @property
    def fingerprint(self) -> UUID:
        """The MD5 of the canonical values of all columns that no extract lacks: equal for the same content, however it
        is written.
        """
        return _fingerprint([getattr(self, column.field) for column in self.columns() if not column.is_optional])

    def part(self, field: str) -> UUID:
        """The fingerprint of an optional column's value by itself: the zero UUID where the cell is empty."""
        value = getattr(self, field)
        return UUID(int=0) if value is None else _fingerprint([self.key, value])


def _fingerprint(values: list[Any]) -> UUID:
    """Values are joined with NUL, which no readable file contains, so that no two records join to the same text."""
    joined = "\0".join(_canonical(value) for value in values)
    return UUID(hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest())


def _canonical(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return str(value)


class CustomerRecord(Record):
    """One alias of a person, with an address."""

    natural_key = ("customer_alias",)
    customer_alias: Id = Field(alias="customer_id")
    customer_id: Id = Field(alias="customer_unique_id")
    zip_prefix: ZipPrefix = Field(alias="customer_zip_code_prefix")
    city: Text = Field(alias="customer_city")
    state: Text = Field(alias="customer_state")


class GeolocationRecord(Record):
    """A sample of a zip prefix; all samples of a prefix are compared together (R40)."""

    natural_key = ("zip_prefix",)
    zip_prefix: ZipPrefix = Field(alias="geolocation_zip_code_prefix")
    latitude: Degrees = Field(alias="geolocation_lat")
    longitude: Degrees = Field(alias="geolocation_lng")
    city: Text = Field(alias="geolocation_city")
    state: Text = Field(alias="geolocation_state")


class OrderItemRecord(Record):
    """A line of an order."""

    natural_key = ("order_id", "item_no")
    order_id: Id = Field(alias="order_id")
    item_no: Whole = Field(alias="order_item_id")
    product_id: Id = Field(alias="product_id")
    seller_id: Id = Field(alias="seller_id")
    ship_by: Time = Field(alias="shipping_limit_date")
    price: Money = Field(alias="price")
    freight: Money = Field(alias="freight_value")


class OrderPaymentRecord(Record):
    """A payment of an order."""

    natural_key = ("order_id", "payment_no")
    order_id: Id = Field(alias="order_id")
    payment_no: Whole = Field(alias="payment_sequential")
    method: Text = Field(alias="payment_type")
    installments: Whole = Field(alias="payment_installments")
    amount: Money = Field(alias="payment_value")


class OrderReviewRecord(Record):
    """A review of an order; the same review may be given to several orders."""

    natural_key = ("review_id", "order_id")
    review_id: Id = Field(alias="review_id")
    order_id: Id = Field(alias="order_id")
    score: Score = Field(alias="review_score")
    title: TextOrNone = Field(alias="review_comment_title")
    comment: TextOrNone = Field(alias="review_comment_message")
    created_at: Time = Field(alias="review_creation_date")
    answered_at: TimeOrNone = Field(alias="review_answer_timestamp")


class OrderRecord(Record):
    """The header of an order."""

    natural_key = ("order_id",)
    order_id: Id = Field(alias="order_id")
    customer_alias: Id = Field(alias="customer_id")
    status: Status = Field(alias="order_status")
    placed_at: Time = Field(alias="order_purchase_timestamp")
    approved_at: TimeOrNone = Field(alias="order_approved_at")
    shipped_at: TimeOrNone = Field(alias="order_delivered_carrier_date")
    completed_at: TimeOrNone = Field(alias="order_delivered_customer_date")
    promised_by: Time = Field(alias="order_estimated_delivery_date")


class ProductRecord(Record):
    """A product."""

    natural_key = ("product_id",)
    product_id: Id = Field(alias="product_id")
    category: TextOrNone = Field(alias="product_category_name")
    name_length: WholeOrNone = Field(alias="product_name_lenght")
    description_length: WholeOrNone = Field(alias="product_description_lenght")
    photos: WholeOrNone = Field(alias="product_photos_qty")
    weight_g: WholeOrNone = Field(alias="product_weight_g")
    length_cm: WholeOrNone = Field(alias="product_length_cm")
    height_cm: WholeOrNone = Field(alias="product_height_cm")
    width_cm: WholeOrNone = Field(alias="product_width_cm")


class SellerRecord(Record):
    """A seller with an address."""

    natural_key = ("seller_id",)
    seller_id: Id = Field(alias="seller_id")
    zip_prefix: ZipPrefix = Field(alias="seller_zip_code_prefix")
    city: Text = Field(alias="seller_city")
    state: Text = Field(alias="seller_state")


class CategoryRecord(Record):
    """The English name of a category."""

    natural_key = ("category",)
    category: Text = Field(alias="product_category_name")
    english: Text = Field(alias="product_category_name_english")


RECORDS: dict[str, type[Record]] = {
    "customers": CustomerRecord,
    "geolocation": GeolocationRecord,
    "order_items": OrderItemRecord,
    "order_payments": OrderPaymentRecord,
    "order_reviews": OrderReviewRecord,
    "orders": OrderRecord,
    "products": ProductRecord,
    "sellers": SellerRecord,
    "categories": CategoryRecord,
}
"""The shape of a record by the short name of its file."""

_UNKNOWN: dict[tuple[str, str], object] = {
    ("orders", "order_estimated_delivery_date"): TimeOrNone,
    ("order_items", "shipping_limit_date"): TimeOrNone,
    ("order_items", "seller_id"): IdOrNone,
}
MAY_BE_UNKNOWN = frozenset(_UNKNOWN)
"""The required columns, by file and the CSV's name, that another source than Olist may leave empty: until when delivery
was promised, until when a line was to be handed over, and who sells it."""


def with_unknown(unknown: Collection[tuple[str, str]]) -> Mapping[str, type[Record]]:
    """The shapes of a source that may leave these columns empty, by file and the CSV's name; all others as they are.

    Raises ValueError for a column that is none of MAY_BE_UNKNOWN: nothing could be decided without it.
    """
    if refused := sorted(set(unknown) - MAY_BE_UNKNOWN):
        raise ValueError(f"the column {'.'.join(refused[0])} cannot be unknown")
    return {file: _with_unknown(file, {name for of, name in unknown if of == file}) for file in RECORDS}


def _with_unknown(file: str, unknown: Collection[str]) -> type[Record]:
    shape = RECORDS[file]
    fields: dict[str, Any] = {
        column.field: (_UNKNOWN[file, column.name], Field(alias=column.name))
        for column in shape.columns()
        if column.name in unknown
    }
    return create_model(shape.__name__, __base__=shape, __doc__=shape.__doc__, **fields) if fields else shape


def with_postcodes(shapes: Mapping[str, type[Record]]) -> Mapping[str, type[Record]]:
    """The shapes of a source whose zips are postcodes as they stand there, with letters or of any length."""
    return {file: _with_postcodes(shape) for file, shape in shapes.items()}


def _with_postcodes(shape: type[Record]) -> type[Record]:
    fields: dict[str, Any] = {
        column.field: (Postcode, Field(alias=column.name)) for column in shape.columns() if column.kind is CellKind.ZIP
    }
    return create_model(shape.__name__, __base__=shape, __doc__=shape.__doc__, **fields) if fields else shape


def read_record(file: str, cells: Mapping[str, str], shapes: Mapping[str, type[Record]] = RECORDS) -> Record | Problem:
    """A record's cells by column name, as values; or the first problem that it has by itself. An empty cell is null."""
    shape = shapes[file]
    try:
        return shape.model_validate({column.name: cells.get(column.name) or None for column in shape.columns()})
    except ValidationError as error:
        broken = [Problem(found["type"], str(found["loc"][0])) for found in error.errors(include_url=False)]
        return min(broken, key=lambda problem: FIRST_BROKEN.index(problem.rule))
