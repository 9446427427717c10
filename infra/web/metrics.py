"""`/metrics`: how the warehouse is, in the text format that Prometheus reads (version 0.0.4).

Names follow Prometheus' conventions: units are in the names, and no id is a label.
"""

from collections.abc import Iterator
from importlib.metadata import version
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from replayhouse.infra.application.status import Status
from replayhouse.infra.web.lending import Lent

router = APIRouter(tags=["health"])

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Gauge(NamedTuple):
    """A value that goes up and down, for each of some labels (name and text), or for none."""

    name: str
    help: str
    samples: list[tuple[dict[str, str], float]]


@router.get("/metrics", summary="How the warehouse is, for Prometheus", response_class=PlainTextResponse)
def metrics(warehouse: Lent) -> PlainTextResponse:
    """The head of the log, how far read models and relays are, the newest load, and the last verification."""
    return PlainTextResponse(rendered(gauges(warehouse.status())), headers={"content-type": _CONTENT_TYPE})


def gauges(status: Status) -> Iterator[Gauge]:
    """What a status says in figures; what nobody knows yet is left out."""
    contexts = status.contexts.items()
    yield Gauge("build_info", "The program that answers.", [({"version": version("replayhouse")}, 1)])
    yield Gauge("log_position_events", "Events in the log.", [({}, status.head.position)])
    yield Gauge(
        "projection_lag_events",
        "Events of a context that its read model does not show yet.",
        [({"context": context}, told.lag) for context, told in contexts],
    )
    yield Gauge(
        "parked_streams",
        "Streams that could not be folded.",
        [({"context": context}, told.parked) for context, told in contexts],
    )
    completed = [load for load in status.batches if load.status == "completed"]
    if completed and (at := completed[-1].completed_at) is not None:
        yield Gauge("last_load_timestamp_seconds", "When the newest load was completed.", [({}, at.timestamp())])
    if completed and (score := completed[-1].score) is not None:
        yield Gauge("load_quality_score_ratio", "The score of the newest load.", [({}, score / 100)])
    yield Gauge("open_loads", "Loads that are at work, or were not finished.", [({}, _open_loads(status))])
    if status.verified is not None:
        verified, holds = status.verified.verified_at.timestamp(), status.verified.reason is None
        yield Gauge("log_verification_timestamp_seconds", "When the log was verified last.", [({}, verified)])
        yield Gauge("log_verification_success", "Whether it held then.", [({}, holds)])
    if status.relays:
        relays = [({"relay": relay.name}, relay) for relay in status.relays]
        yield Gauge("relay_lag_events", "Events not published yet.", [(label, relay.lag) for label, relay in relays])
        yield Gauge(
            "relay_is_silent",
            "Whether a relay has died or hangs.",
            [(label, relay.is_silent) for label, relay in relays],
        )


def _open_loads(status: Status) -> int:
    return sum(load.status in ("open", "retracting") for load in status.batches)


def rendered(found: Iterator[Gauge]) -> str:
    """The text of some gauges."""
    return "".join(line for gauge in found for line in _lines(gauge))


def _lines(gauge: Gauge) -> Iterator[str]:
    name = f"replayhouse_{gauge.name}"
    yield f"# HELP {name} {gauge.help}\n# TYPE {name} gauge\n"
    for labels, value in gauge.samples:
        shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{shown}}} {float(value)!r}\n" if shown else f"{name} {float(value)!r}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
