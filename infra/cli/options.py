"""What several commands take: options and arguments."""

from typing import Annotated

import typer

from replayhouse.domain.contexts import Context

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else.")]

Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded with the decision.")]

Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Processes to share the work; by default REPLAYHOUSE_WORKERS."),
]

Contexts = Annotated[
    list[Context] | None,
    typer.Argument(metavar="CONTEXT", help="The contexts to do it for; all where none is named."),
]
MoreContexts = Annotated[
    list[Context] | None, typer.Option("--contexts", metavar="CONTEXT", help="The same, as an option; may be repeated.")
]

MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        metavar="N",
        min=0,
        max=65_535,
        help="With --follow: answer Prometheus at this port of loopback; 0 takes any that is free.",
    ),
]


def example(*lines: str) -> str:
    """The end of a command's help. The mark keeps the lines from being run together."""
    return "\n".join(("\b", "Examples:" if len(lines) > 1 else "Example:", *(f"  {line}" for line in lines)))
