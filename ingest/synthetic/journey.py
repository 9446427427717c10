"""The way of a parcel: approved, handed to the carrier, delivered, and by when that was promised."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import NamedTuple

from replayhouse.ingest.synthetic.draws import along
from replayhouse.ingest.synthetic.plans import Plan
from replayhouse.ingest.synthetic.towns import Town

# All by equally likely steps: hours to approval by card and by boleto, days to dispatch, the carrier's days as a
# multiple of what is usual on the route, days before and after the promised one.
_HOURS_BY_CARD = (0.1, 0.17, 0.2, 0.24, 0.28, 0.34, 0.6, 5.0, 26.0)
_HOURS_BY_BOLETO = (3.0, 12.0, 18.0, 24.0, 29.0, 36.0, 54.0, 90.0)
_DAYS_TO_DISPATCH = (0.15, 0.7, 1.0, 1.6, 2.1, 2.9, 4.2, 6.8, 15.0)
_TRANSIT = (0.2, 0.45, 0.62, 0.78, 0.93, 1.1, 1.35, 1.8, 3.6)
_DAYS_EARLY = (1.0, 4.0, 7.0, 9.5, 11.5, 13.5, 16.0, 20.0, 33.0)
_DAYS_LATE = (1.0, 1.6, 2.7, 4.3, 6.2, 8.4, 12.0, 18.0, 48.0)

_DAYS_TO_REGION = {"North": 16.0, "Northeast": 13.0, "Central-West": 8.5, "Southeast": 7.0, "South": 8.3}
_DAYS_TO_STATE = {"SP": 5.0, "RJ": 9.0, "MG": 7.0}
_SHORTER_AT_HOME = 0.7

_MIDNIGHT = time()


class Journey(NamedTuple):
    """The times of an order; `promised_by` is a midnight."""

    approved_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    promised_by: datetime


def journey_of(
    plan: Plan, placed_at: datetime, origin: Town, destination: Town, random: Callable[[], float]
) -> Journey:
    """The times that the plan asks for; the way is shorter within a state, and longer to the north."""
    hours = along(_HOURS_BY_BOLETO if plan.paying == "boleto" else _HOURS_BY_CARD, random())
    approved = _later(placed_at, hours)
    shipped = _later(approved, 24 * along(_DAYS_TO_DISPATCH, random()))
    usual = _DAYS_TO_STATE.get(destination.state) or _DAYS_TO_REGION[destination.region]
    if origin.state == destination.state:
        usual *= _SHORTER_AT_HOME
    delivered = _later(shipped, 24 * (0.6 + usual * along(_TRANSIT, random())))
    days = 0
    if plan.punctuality == "early":
        days = int(along(_DAYS_EARLY, random()))
    elif plan.punctuality == "late":
        # The parcel loses these days on its way, so that the promise stays after the purchase.
        days = -int(along(_DAYS_LATE, random()))
        delivered -= timedelta(days=days)
    promised = datetime.combine(delivered.date() + timedelta(days=days), _MIDNIGHT)
    if plan.oddity:
        return _odd(plan, placed_at, Journey(approved, shipped, delivered, promised), random())
    reached = plan.reached
    return Journey(
        approved if reached > 0 else None,
        shipped if reached > 1 else None,
        delivered if reached > 2 else None,
        promised,
    )


def _later(moment: datetime, hours: float) -> datetime:
    return moment + timedelta(seconds=int(hours * 3600))


def _odd(plan: Plan, placed_at: datetime, journey: Journey, chance: float) -> Journey:
    """A delivered order with one of the source's oddities."""
    hours = 1 + 20 * chance
    match plan.oddity:
        case "carrier before approval":
            shipped = _later(placed_at, hours)
            return journey._replace(shipped_at=shipped, approved_at=_later(shipped, hours / 2))
        case "carrier before placing":
            return journey._replace(shipped_at=_later(placed_at, -hours))
        case "delivery before carrier":
            assert journey.delivered_at is not None
            return journey._replace(shipped_at=_later(journey.delivered_at, hours))
        case "no approval":
            return journey._replace(approved_at=None)
        case "no carrier":
            return journey._replace(shipped_at=None)
        case "no delivery":
            return journey._replace(delivered_at=None)
    return journey
