"""Whether OpenTelemetry's variables name a collector for traces; what stands in the way is told, and nothing more."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from replayhouse.infra.runtime.telling import Warn, count
from replayhouse.infra.telemetry.happenings import Happening, happened

if TYPE_CHECKING:
    from replayhouse.infra.telemetry.otlp import Sent

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
_NOTHING = "No trace is sent."


def is_named() -> bool:
    """Whether traces are asked for: a collector is named, and nothing says that there are to be none."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return os.environ.get("OTEL_TRACES_EXPORTER", "").strip() != "none" and _first(ENDPOINTS) is not None


@contextmanager
def told_of_spans(warn: Warn) -> Iterator[None]:
    """While the block runs, its spans are sent to the collector. Whatever keeps them from it, the block runs."""
    stack = ExitStack()
    sent = _begun(stack, warn)
    try:
        yield
    finally:
        stack.close()
    if sent is not None and sent.lost:
        happened(Happening.TRACES_LOST, spans=sent.lost)
        warn(f"The collector that {_first(ENDPOINTS)} names has not taken {count(sent.lost, 'span')} of this command.")


def _begun(stack: ExitStack, warn: Warn) -> "Sent | None":
    exporter, variable = os.environ.get("OTEL_TRACES_EXPORTER", "").strip(), _first(PROTOCOLS)
    if exporter not in ("", "otlp"):
        warn(f"OTEL_TRACES_EXPORTER names {exporter!r}; traces are sent by otlp only. {_NOTHING}")
        return None
    if variable is not None and (protocol := os.environ[variable].strip()) != PROTOCOL:
        warn(f"{variable} names {protocol!r}; traces are sent by {PROTOCOL} only. {_NOTHING}")
        return None
    try:
        from replayhouse.infra.telemetry.otlp import sent_to_the_collector

        return stack.enter_context(sent_to_the_collector())
    except ImportError:
        warn(f"{_first(ENDPOINTS)} names a collector; it takes pip install 'replayhouse[telemetry]'. {_NOTHING}")
        return None
    except Exception as error:  # by variables of OpenTelemetry, some of which are read while it is imported
        warn(f"OpenTelemetry's exporter refuses what its variables say ({type(error).__name__}). {_NOTHING}")
        return None


def _first(variables: tuple[str, ...]) -> str | None:
    """The first variable that is set."""
    return next((name for name in variables if os.environ.get(name, "").strip()), None)
