"""Sends events of OpenLineage: a process of its own, which reads them as JSON and says in a word what became of them.

It ends in time, whatever a collector does, and nothing that the client says or prints reaches anybody.
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

SECONDS = 2.0
"""So long the events of a run may take to be sent, all together."""

SENT, MISSING, LATE, UNSET, REFUSED = "sent", "missing", "late", "unset", "refused"


def main() -> None:
    """Sends what stands on standard input."""
    events = json.load(sys.stdin.buffer)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)

    def end(*words: str) -> None:
        """Nothing is waited for: neither a connection that hangs, nor threads of a transport."""
        answers.write(" ".join(words))
        answers.flush()
        os._exit(0)

    try:
        _send(events, end)
    except BaseException as error:
        end(REFUSED, *_words_of(error))
    end(SENT)


def _send(events: list[Any], end: Callable[..., None]) -> None:
    try:
        from openlineage.client import OpenLineageClient
    except ImportError:
        end(MISSING)
        raise
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

    late = threading.Timer(SECONDS, end, [LATE])
    late.daemon = True
    late.start()
    client = OpenLineageClient()
    if client.transport.kind == "console":
        end(UNSET)
    for event in events:
        client.emit(
            RunEvent(
                eventType=RunState(event["eventType"]),
                eventTime=event["eventTime"],
                run=Run(**event["run"]),
                job=Job(**event["job"]),
                inputs=[InputDataset(**one) for one in event.get("inputs", ())],
                outputs=[OutputDataset(**one) for one in event.get("outputs", ())],
                producer=event["producer"],
            )
        )
    client.close(SECONDS)


def _words_of(error: BaseException) -> list[str]:
    """The kind of an error, and what a server answered: its text may show what is nobody's business."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return [type(error).__name__, *([str(status)] if status else [])]


if __name__ == "__main__":
    main()
