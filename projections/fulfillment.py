"""Fulfillment: deliveries, folded from shipments (R23 to R26), and geography, folded from areas (R27, R28)."""

from sqlalchemy import MetaData, Table

from replayhouse.domain.fulfillment.area import area_of
from replayhouse.domain.fulfillment.events import AreaSurveyed
from replayhouse.domain.fulfillment.shipment import is_late, shipment_of
from replayhouse.domain.kernel.places import REGIONS, UNKNOWN, region_of
from replayhouse.projections.columns import (
    date_key_of,
    degrees,
    flag,
    hundredths_of,
    integer,
    moment,
    numeric,
    position,
    text,
    uuid,
)
from replayhouse.projections.projection import Projection, Rows, Stream, row_maker
from replayhouse.projections.sources import from_files
from replayhouse.projections.versions import VERSIONS

_FULFILLMENT = MetaData(schema="fulfillment")
_DAY = 86_400
_DIGITS_OF_DAYS = 8

FACT_DELIVERY = Table(
    "fact_delivery",
    _FULFILLMENT,
    uuid("order_id", "the order", key=True, to="sales.fact_order.order_id"),
    uuid(
        "customer_id",
        "the person who ordered; the zero UUID where nobody knows",
        to="customer.dim_customer.customer_id",
    ),
    integer("date_key", "date of placed_at, yyyymmdd", to="shared.dim_date.date_key"),
    text(
        "status",
        "planned, dispatched, delivered or canceled (before dispatch)",
        words=("planned", "dispatched", "delivered", "canceled"),
    ),
    moment("placed_at", "when the order was placed"),
    moment("promised_by", "the promised date, at midnight; null where nobody knows", null=True),
    moment("dispatched_at", "when the carrier took the parcel; null if not, or if nobody knows when", null=True),
    moment("delivered_at", "when the customer got it; null if not, or if nobody knows when", null=True),
    numeric("days_to_dispatch", "days of 86,400 seconds from placed_at to dispatched_at", _DIGITS_OF_DAYS, null=True),
    numeric("days_to_deliver", "days of 86,400 seconds from placed_at to delivered_at", _DIGITS_OF_DAYS, null=True),
    integer(
        "days_late",
        "calendar days from the promised date to the delivery, 0 if on time; null where either is not known",
        null=True,
    ),
    flag("is_late", "whether it came after the promised date; null where days_late is", null=True),
    flag("is_past_estimate", "whether delivered_at is after promised_by, to the second", null=True),
    text(
        "destination_zip",
        "zip prefix given with the order's own alias, by which it has its state; unknown where there is none",
        personal=True,
        to="fulfillment.dim_geography.zip_prefix",
    ),
    text(
        "origin_zip",
        "zip prefix of the seller of the first line; unknown where there is none",
        to="fulfillment.dim_geography.zip_prefix",
    ),
    position(),
    comment="One row for each order, whether it has travelled or not",
    info=from_files(
        "orders",
        "customers",
        dispatched_at="orders.shipped_at",
        delivered_at="orders.completed_at",
        destination_zip="customers.zip_prefix",
        origin_zip="sellers.zip_prefix",
    ),
)

DIM_GEOGRAPHY = Table(
    "dim_geography",
    _FULFILLMENT,
    text("zip_prefix", "first five digits of the zip code", key=True),
    text("city", "most frequent name of the city, as given"),
    text("state", "most frequent state, two letters"),
    text("region", "North, Northeast, Central-West, Southeast, South or unknown", words=(*REGIONS, UNKNOWN)),
    degrees("latitude", "median of the samples, degrees north"),
    degrees("longitude", "median of the samples, degrees east"),
    integer("samples", "number of samples inside Brazil"),
    position(),
    comment="One row for each zip prefix with a sample inside Brazil, and the unknown one",
    info=from_files("geolocation"),
)


_delivery_row = row_maker(FACT_DELIVERY)
_area_row = row_maker(DIM_GEOGRAPHY)


def fold(stream: Stream) -> Rows:
    """The row of a shipment, once it is planned, or of an area, while samples tell of it."""
    events = stream.events
    if not events:
        return {}
    return _area_rows(stream) if isinstance(events[0], AreaSurveyed) else _delivery_rows(stream)


def _delivery_rows(stream: Stream) -> Rows:
    shipment = shipment_of(stream.events)
    if not shipment.is_planned:
        return {}
    days_late = shipment.days_late
    placed_at, dispatched_at, delivered_at = shipment.placed_at, shipment.dispatched_at, shipment.delivered_at
    row = _delivery_row(
        order_id=stream.stream_id,
        customer_id=shipment.customer_id,
        date_key=date_key_of(placed_at),
        status=shipment.status,
        placed_at=placed_at,
        promised_by=shipment.promised_by,
        dispatched_at=dispatched_at,
        delivered_at=delivered_at,
        days_to_dispatch=hundredths_of(placed_at, dispatched_at, _DAY, _DIGITS_OF_DAYS),
        days_to_deliver=hundredths_of(placed_at, delivered_at, _DAY, _DIGITS_OF_DAYS),
        days_late=days_late,
        is_late=is_late(days_late),
        is_past_estimate=shipment.is_past_estimate,
        destination_zip=shipment.destination_zip or UNKNOWN,
        origin_zip=shipment.origin_zip or UNKNOWN,
        position=stream.position,
    )
    return {"fact_delivery": [row]}


def _area_rows(stream: Stream) -> Rows:
    place = area_of(stream.events).place
    if place is None:
        return {}
    row = _area_row(
        zip_prefix=place.zip_prefix,
        city=place.city or UNKNOWN,
        state=place.state or UNKNOWN,
        region=region_of(place.state),
        latitude=place.latitude,
        longitude=place.longitude,
        samples=place.samples,
        position=stream.position,
    )
    return {"dim_geography": [row]}


_NOWHERE = _area_row(
    zip_prefix=UNKNOWN,
    city=UNKNOWN,
    state=UNKNOWN,
    region=UNKNOWN,
    latitude=None,
    longitude=None,
    samples=0,
    position=0,
)

PROJECTION = Projection(
    "fulfillment",
    (FACT_DELIVERY, DIM_GEOGRAPHY),
    fold,
    version=VERSIONS["fulfillment"].number,
    unknown_members={"dim_geography": [_NOWHERE]},
)
