"""`kafka`: a broker for trying out, and the topics on it or on a cluster of your own."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, table
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.application.topics import TopicsReport

app = typer.Typer(name="kafka", help="A broker for trying out, and the topics.", rich_markup_mode=None)

Apply = Annotated[
    bool, typer.Option("--apply", help="Make the topics that are missing. What is there is never changed or removed.")
]


@app.command(epilog=example("replayhouse kafka start"))
def start(json: Json = False) -> None:
    """Start a broker for trying out.

    It goes on running after this command, on this machine's loopback interface, and keeps its data in the home folder.
    Started already, it stays as it is. It needs Java; the first time Maven fetches it.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.start_broker()
    if json:
        print_json(report.document())
        return
    say(f"The broker {'is running' if report.started else 'was running already'} at {report.broker.bootstrap}.")
    say(f"Its data is in {report.broker.data}. Next: replayhouse kafka topics --apply")


@app.command(epilog=example("replayhouse kafka stop"))
def stop(json: Json = False) -> None:
    """Stop the broker for trying out.

    Its topics and their events are there again after the next start.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.stop_broker()
    if json:
        print_json(report.document())
        return
    say("The broker has stopped." if report.stopped else "The broker was not running.")


@app.command(epilog=example("replayhouse kafka status"))
def status(json: Json = False) -> None:
    """Show whether there is a broker, and where.

    A cluster of your own, named by REPLAYHOUSE_KAFKA_BOOTSTRAP, is asked; that it does not answer is an error then.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.broker_status()
    if json:
        print_json(report.document())
    elif report.running:
        say(f"A broker answers at {report.bootstrap}.")
    else:
        say("The broker for trying out is not running. Start it: replayhouse kafka start")


@app.command(epilog=example("replayhouse kafka topics", "replayhouse kafka topics --apply"))
def topics(apply: Apply = False, json: Json = False) -> None:
    """Show which topics there should be, and what is to be done about each.

    Exits with 1 if --apply meets topics that are there and differ from what is wanted: what to do is said of each.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.make_topics() if apply else warehouse.topics()
    if json:
        print_json(report.document())
    else:
        _show(report)
    if report.is_refused:
        raise typer.Exit(1)


def _show(report: "TopicsReport") -> None:
    from replayhouse.infra.kafka.topics import Action

    plan, is_done = report.topics, report.is_applied
    words = {Action.CREATE: "made" if is_done else "to be made", Action.KEEP: "as wanted", Action.TELL: "differs"}
    table(
        ("topic", "partitions", "cleanup", "retention", "what"),
        [
            (topic.name, topic.partitions, topic.settings["cleanup.policy"], _kept(topic.settings), words[action])
            for topic, action, _ in plan
        ],
    )
    for planned in plan:
        for sentence in planned.told():
            say(f"{sentence}.")
    missing = sum(planned.action is Action.CREATE for planned in plan)
    if missing and not is_done:
        say(f"{count(missing, 'topic')} to be made: replayhouse kafka topics --apply")


def _kept(settings: Any) -> str:
    """How long a topic keeps what it has, for people."""
    if settings["cleanup.policy"] == "compact":
        return "newest of each key"
    milliseconds = int(settings["retention.ms"])
    return "for ever" if milliseconds < 0 else count(milliseconds // 3_600_000, "hour")
