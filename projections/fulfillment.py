"""Fulfillment: deliveries, folded from shipments (R23 to R26), and geography, folded from areas (R27, R28)."""

from sqlalchemy import MetaData, Table

from replayhouse.domain.fulfillment.area import area_of
from replayhouse.domain.fulfillment.events import AreaSurveyed
from replayhouse.domain.fulfillment.shipment import is_late, shipment_of
from replayhouse.domain.kernel.places import UNKNOWN, region_of
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
from replayhouse.projections.projection import Projection, Rows, Stream
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
    text("status", "planned, dispatched, delivered or canceled (before dispatch)"),
    moment("placed_at", "when the order was placed"),
    moment("promised_by", "the promised date, at midnight"),
    moment("dispatched_at", "when the carrier took the parcel; null if not, or if nobody knows when", null=True),
    moment("delivered_at", "when the customer got it; null if not, or if nobody knows when", null=True),
    numeric("days_to_dispatch", "days of 86,400 seconds from placed_at to dispatched_at", _DIGITS_OF_DAYS, null=True),
    numeric("days_to_deliver", "days of 86,400 seconds from placed_at to delivered_at", _DIGITS_OF_DAYS, null=True),
    integer("days_late", "calendar days from the promised date to the delivery, 0 if on time", null=True),
    flag("is_late", "whether it came after the promised date; null without delivered_at", null=True),
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
    text("region", "North, Northeast, Central-West, Southeast, South or unknown"),
    degrees("latitude", "median of the samples, degrees north"),
    degrees("longitude", "median of the samples, degrees east"),
    integer("samples", "number of samples inside Brazil"),
    position(),
    comment="One row for each zip prefix with a sample inside Brazil, and the unknown one",
    info=from_files("geolocation"),
)


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
    placed_at, delivered_at, days_late = shipment.placed_at, shipment.delivered_at, shipment.days_late
    row = (
        stream.originator_id,
        shipment.customer_id,
        date_key_of(placed_at),
        shipment.status,
        placed_at,
        shipment.promised_by,
        shipment.dispatched_at,
        delivered_at,
        hundredths_of(placed_at, shipment.dispatched_at, _DAY, _DIGITS_OF_DAYS),
        hundredths_of(placed_at, delivered_at, _DAY, _DIGITS_OF_DAYS),
        days_late,
        is_late(days_late),
        shipment.is_past_estimate,
        shipment.destination_zip or UNKNOWN,
        shipment.origin_zip or UNKNOWN,
        stream.position,
    )
    return {"fact_delivery": [row]}


def _area_rows(stream: Stream) -> Rows:
    survey = area_of(stream.events).survey
    if survey is None or survey.samples == 0:
        return {}
    row = (
        survey.zip_prefix,
        survey.city or UNKNOWN,
        survey.state or UNKNOWN,
        region_of(survey.state),
        survey.latitude,
        survey.longitude,
        survey.samples,
        stream.position,
    )
    return {"dim_geography": [row]}


PROJECTION = Projection(
    "fulfillment",
    (FACT_DELIVERY, DIM_GEOGRAPHY),
    fold,
    version=VERSIONS["fulfillment"].number,
    unknown_members={"dim_geography": [(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, None, None, 0, 0)]},
)
