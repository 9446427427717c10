"""`publish`: the events of the log go to Kafka."""

from typing import Annotated

import typer

from replayhouse.infra.cli.options import Contexts, Json, MetricsPort, example
from replayhouse.infra.cli.output import print_json, seconds_so_far, table
from replayhouse.infra.cli.verification import verify_published
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.signals import told_to_end

Follow = Annotated[bool, typer.Option("--follow", help="Stay, and follow the log until the command is ended.")]
Recover = Annotated[
    bool,
    typer.Option("--recover", help="Take the position from what the topic holds, where the relay's own is missing."),
]
Verify = Annotated[
    bool, typer.Option("--verify", help="Publish nothing: compare what the topics hold with the log, event by event.")
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example(
            "replayhouse publish",
            "replayhouse publish sales customer --follow",
            "replayhouse publish sales --recover",
            "replayhouse publish --verify",
        )
    )(publish)


def publish(
    contexts: Contexts = None,
    follow: Follow = False,
    recover: Recover = False,
    verify: Verify = False,
    metrics_port: MetricsPort = None,
    json: Json = False,
) -> None:
    """Publish the events of the log on Kafka, each once and in order.

    A relay for each context goes on where the topic ends, and publishes what was in the log when it began. With
    --follow it stays and publishes whatever is appended, until it is ended with Ctrl-C or SIGTERM. One relay runs for
    each context: a second one takes over, and the first ends. Brokers or a database that are away are waited for;
    status says so.

    With --verify the topics are read instead, and each message held against the log: the first position where they
    differ is named, and the exit code is 1.
    """
    from replayhouse.infra.cli.warehouse import followed_warehouse, named_warehouse, refuse_metrics_port

    if not follow:
        refuse_metrics_port(metrics_port)
    if verify:
        if follow or recover:
            raise UsageError("--verify publishes nothing: leave --follow and --recover out.")
        verify_published(contexts, json)
        return
    stop = told_to_end()
    with followed_warehouse(metrics_port) if follow else named_warehouse(stays=True) as warehouse:
        report = warehouse.publish(contexts, follow=follow, recover=recover, stop=stop)
    if stop.is_set() and not follow:  # who follows is ended so, and whoever does not has not come to its end
        raise KeyboardInterrupt
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
    else:
        table(("context", "events", "position"), [(name, *published) for name, published in report.relays.items()])
