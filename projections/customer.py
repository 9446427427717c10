"""Customer: people with their addresses and segments, and what they say of orders (R29 to R35)."""

from datetime import date
from typing import get_args

from sqlalchemy import MetaData, Table

from replayhouse.domain.customer.customer import Address, Customer, customer_of, evaluate
from replayhouse.domain.customer.events import ReviewRevised, ReviewSubmitted, Segment, SegmentChanged
from replayhouse.domain.customer.review import review_of
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.kernel.money import NOTHING
from replayhouse.domain.kernel.places import UNKNOWN, normalised_city
from replayhouse.projections.columns import (
    date_key_of,
    day,
    flag,
    hundredths_of,
    integer,
    moment,
    money,
    numeric,
    position,
    region,
    text,
    uuid,
)
from replayhouse.projections.projection import Projection, Row, Rows, Stream, row_maker
from replayhouse.projections.sources import from_files
from replayhouse.projections.versions import VERSIONS

_CUSTOMER = MetaData(schema="customer")
_HOUR = 3_600
_DIGITS_OF_HOURS = 10
_SEGMENTS: tuple[str, ...] = get_args(Segment)

DIM_CUSTOMER = Table(
    "dim_customer",
    _CUSTOMER,
    uuid("customer_id", "the person (customer_unique_id of the source)", key=True),
    text(
        "zip_prefix",
        "current zip prefix, five digits; unknown once the person is anonymised",
        personal=True,
        to="fulfillment.dim_geography.zip_prefix",
    ),
    text("city", "current city as given; unknown once the person is anonymised", personal=True),
    text("city_normalised", "the city without accents, in lower case, with single spaces", personal=True),
    text("state", "current state, two letters"),
    region(),
    integer("alias_count", "under how many customer_ids the source shows the person"),
    integer("orders", "number of purchases: orders that were delivered"),
    money("spent", "sum of the purchases, BRL"),
    money("average_order", "spent / orders, BRL; null without purchases", null=True),
    moment("first_purchase_at", "when the first purchase was placed", null=True),
    moment("last_purchase_at", "when the last purchase was placed", null=True),
    text("segment", "NEW, ONE_TIME, REGULAR, LOYAL, VIP or CHURNED", words=(*_SEGMENTS, UNKNOWN)),
    day("segment_as_of", "as of which date the segment last changed; null if it never did", null=True),
    flag("is_anonymized", "whether the key of the person's data was destroyed"),
    position(),
    comment="One row for each person of the customers file, and the unknown one",
    info=from_files("customers"),
)

CUSTOMER_ALIAS = Table(
    "customer_alias",
    _CUSTOMER,
    uuid("customer_alias", "a customer_id of the source", key=True),
    uuid("customer_id", "the person behind it", of="customer.dim_customer.customer_id"),
    position(),
    comment="Which person stands behind each customer_id of the source",
    info=from_files("customers"),
)

ADDRESS_HISTORY = Table(
    "address_history",
    _CUSTOMER,
    uuid("customer_id", "the person", key=True, of="customer.dim_customer.customer_id"),
    integer("seq", "1 for the first address", key=True),
    text("zip_prefix", "zip prefix, five digits", personal=True, to="fulfillment.dim_geography.zip_prefix"),
    text("city", "city as given", personal=True),
    text("state", "state, two letters"),
    moment("valid_from", "when the order that shows the address first was placed; null if there is none", null=True),
    position(),
    comment="All addresses of each person, the current one last",
    info=from_files("customers", valid_from="orders.placed_at"),
)

SEGMENT_HISTORY = Table(
    "segment_history",
    _CUSTOMER,
    uuid("customer_id", "the person", key=True, of="customer.dim_customer.customer_id"),
    integer("seq", "1 for the first change", key=True),
    day("as_of", "the date of the evaluation"),
    text("from_segment", "the segment before; of the first change NEW", words=_SEGMENTS),
    text("to_segment", "the segment after", words=_SEGMENTS),
    position(),
    comment="Each change of a person's segment",
    info=from_files("customers"),
)

FACT_REVIEW = Table(
    "fact_review",
    _CUSTOMER,
    uuid("review_id", "the review, as in the source, where it may stand at several orders", key=True),
    uuid("order_id", "the order", key=True, to="sales.fact_order.order_id"),
    uuid("customer_id", "the order's person; the zero UUID where nobody knows", to="customer.dim_customer.customer_id"),
    integer("score", "1 to 5"),
    text("sentiment", "positive (4, 5), neutral (3) or negative (1, 2)", words=("positive", "neutral", "negative")),
    text("title", "title, if the customer wrote one", null=True, personal=True),
    text("comment", "what the customer wrote, if anything", null=True, personal=True),
    moment("created_at", "when the survey was sent", in_calendar=True),
    moment("answered_at", "when it came back", null=True, in_calendar=True),
    integer("date_key", "date of created_at, yyyymmdd", to="shared.dim_date.date_key"),
    numeric("hours_to_answer", "hours from created_at to answered_at", _DIGITS_OF_HOURS, null=True),
    position(),
    comment="One row for each review of an order",
    info=from_files("order_reviews", "customers"),
)


_customer_row = row_maker(DIM_CUSTOMER)
_alias_row = row_maker(CUSTOMER_ALIAS)
_address_row = row_maker(ADDRESS_HISTORY)
_segment_row = row_maker(SEGMENT_HISTORY)
_review_row = row_maker(FACT_REVIEW)


def fold(stream: Stream) -> Rows:
    """The rows of a person, once registered, or of a review.

    An extract may know a person whose id is the zero UUID: that row is the unknown member's (R14).
    """
    events = stream.events
    if not events or stream.stream_id == UNKNOWN_ID:
        return {}
    if isinstance(events[0], ReviewSubmitted | ReviewRevised):
        return _review_rows(stream)
    customer = customer_of(events)
    return _customer_rows(stream, customer) if customer.is_registered else {}


def fold_as_of(stream: Stream, as_of: date) -> Rows:
    """The same as one evaluation, on that day, would have left it: by R33 and R34, and without a history.

    The evaluations that the loads made belong to their own days, which are those of the extracts.
    """
    events = [event for event in stream.events if not isinstance(event, SegmentChanged)]
    evaluated = [*events, *evaluate(customer_of(events), as_of)]
    rows = fold(stream._replace(events=evaluated))
    return {table: of_table for table, of_table in rows.items() if table != SEGMENT_HISTORY.name}


def _customer_rows(stream: Stream, customer: Customer) -> Rows:
    customer_id, at = stream.stream_id, stream.position
    history = customer.address_history
    return {
        "dim_customer": [_person_row(stream, customer, history[-1].address)],
        "customer_alias": [
            _alias_row(customer_alias=alias, customer_id=customer_id, position=at) for alias in customer.aliases
        ],
        "address_history": [
            _address_row(
                customer_id=customer_id,
                seq=seq,
                zip_prefix=address.zip_prefix,
                city=address.city,
                state=address.state,
                valid_from=valid_from,
                position=at,
            )
            for seq, (address, valid_from) in enumerate(history, start=1)
        ],
        "segment_history": [
            _segment_row(
                customer_id=customer_id,
                seq=seq,
                as_of=change.as_of,
                from_segment=change.from_segment,
                to_segment=change.to_segment,
                position=at,
            )
            for seq, change in enumerate(customer.segment_changes, start=1)
        ],
    }


def _person_row(stream: Stream, customer: Customer, address: Address) -> Row:
    return _customer_row(
        customer_id=stream.stream_id,
        zip_prefix=address.zip_prefix,
        city=address.city,
        city_normalised=normalised_city(address.city),
        state=address.state,
        region=customer.region_of(address.state),
        alias_count=len(customer.aliases),
        orders=customer.orders,
        spent=customer.spent,
        average_order=customer.average_order,
        first_purchase_at=customer.first_purchase_at,
        last_purchase_at=customer.last_purchase_at,
        segment=customer.segment,
        segment_as_of=customer.segment_as_of,
        is_anonymized=customer.is_anonymized,
        position=stream.position,
    )


def _review_rows(stream: Stream) -> Rows:
    review = review_of(stream.events)
    row = _review_row(
        review_id=review.review_id,
        order_id=review.order_id,
        customer_id=review.customer_id,
        score=review.score,
        sentiment=review.sentiment,
        title=review.title,
        comment=review.comment,
        created_at=review.created_at,
        answered_at=review.answered_at,
        date_key=date_key_of(review.created_at),
        hours_to_answer=hundredths_of(review.created_at, review.answered_at, _HOUR, _DIGITS_OF_HOURS),
        position=stream.position,
    )
    return {"fact_review": [row]}


_NOBODY = _customer_row(
    customer_id=UNKNOWN_ID,
    zip_prefix=UNKNOWN,
    city=UNKNOWN,
    city_normalised=UNKNOWN,
    state=UNKNOWN,
    region=UNKNOWN,
    alias_count=0,
    orders=0,
    spent=NOTHING,
    average_order=None,
    first_purchase_at=None,
    last_purchase_at=None,
    segment=UNKNOWN,
    segment_as_of=None,
    is_anonymized=False,
    position=0,
)

PROJECTION = Projection(
    "customer",
    (DIM_CUSTOMER, CUSTOMER_ALIAS, ADDRESS_HISTORY, SEGMENT_HISTORY, FACT_REVIEW),
    fold,
    version=VERSIONS["customer"].number,
    unknown_members={"dim_customer": [_NOBODY]},
    fold_as_of=fold_as_of,
)
