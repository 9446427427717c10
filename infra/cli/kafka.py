"""`kafka`: a broker for trying out, and the topics on it or on a cluster of your own."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import count, print_json, progress, say, table
from replayhouse.infra.runtime.errors import UsageError

if TYPE_CHECKING:
    from replayhouse.infra.kafka.broker.node import Broker
    from replayhouse.infra.kafka.topics import Planned
    from replayhouse.infra.runtime.kafka_settings import KafkaSettings

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
    broker = _trial_broker()
    with progress() as tell:
        if not broker.is_alive():
            tell("starting the broker; the first time Maven fetches it", 0, 0)
        was_started = broker.start()
    if json:
        print_json(_told(broker, running=True) | {"started": was_started})
        return
    say(f"The broker {'is running' if was_started else 'was running already'} at {broker.bootstrap}.")
    say(f"Its data is in {broker.folder}. Next: replayhouse kafka topics --apply")


@app.command(epilog=example("replayhouse kafka stop"))
def stop(json: Json = False) -> None:
    """Stop the broker for trying out.

    Its topics and their events are there again after the next start.
    """
    broker = _trial_broker()
    was_running = broker.stop()
    if json:
        print_json({"running": False, "stopped": was_running})
        return
    say("The broker has stopped." if was_running else "The broker was not running.")


@app.command(epilog=example("replayhouse kafka status"))
def status(json: Json = False) -> None:
    """Show whether there is a broker, and where.

    A cluster of your own, named by REPLAYHOUSE_KAFKA_BOOTSTRAP, is asked; that it does not answer is an error then.
    """
    from replayhouse.infra.kafka.broker.node import trial_broker
    from replayhouse.infra.kafka.connectivity import reach
    from replayhouse.infra.runtime.kafka_settings import load_kafka_settings
    from replayhouse.infra.runtime.settings import load_settings

    kafka = load_kafka_settings()
    if kafka.bootstrap is not None:
        reach(kafka, kafka.bootstrap)
        told: dict[str, Any] = {"running": True, "bootstrap": kafka.bootstrap, "pid": None, "data": None}
    else:
        broker = trial_broker(load_settings().home)
        told = _told(broker, running=broker.answers())
    if json:
        print_json(told)
    elif told["running"]:
        say(f"A broker answers at {told['bootstrap']}.")
    else:
        say("The broker for trying out is not running. Start it: replayhouse kafka start")


@app.command(epilog=example("replayhouse kafka topics", "replayhouse kafka topics --apply"))
def topics(apply: Apply = False, json: Json = False) -> None:
    """Show which topics there should be, and what is to be done about each.

    Exits with 1 if --apply meets topics that are there and differ from what is wanted: what to do is said of each.
    """
    from replayhouse.infra.kafka.clients import bootstrap_of
    from replayhouse.infra.kafka.topics import Action, make_topics, plan_topics
    from replayhouse.infra.runtime.kafka_settings import load_kafka_settings
    from replayhouse.infra.runtime.settings import load_settings

    kafka = load_kafka_settings()
    bootstrap = bootstrap_of(load_settings(), kafka)
    plan = make_topics(kafka, bootstrap) if apply else plan_topics(kafka, bootstrap)
    if json:
        print_json({"bootstrap": bootstrap, "applied": apply, "topics": [_as_document(planned) for planned in plan]})
    else:
        _show(plan, kafka, is_done=apply)
    if apply and any(planned.action is Action.TELL for planned in plan):
        raise typer.Exit(1)


def _show(plan: "list[Planned]", kafka: "KafkaSettings", *, is_done: bool) -> None:
    from replayhouse.infra.kafka.topics import Action, described

    words = {Action.CREATE: "made" if is_done else "to be made", Action.KEEP: "as wanted", Action.TELL: "differs"}
    table(
        ("topic", "partitions", "cleanup", "retention", "what"),
        [
            (topic.name, topic.partitions, topic.settings["cleanup.policy"], _kept(topic.settings), words[action])
            for topic, action, _ in plan
        ],
    )
    for topic, _, differences in plan:
        for difference in differences:
            say(f"{described(topic, difference)}.")
    missing = sum(planned.action is Action.CREATE for planned in plan)
    if missing and not is_done:
        say(f"{count(missing, 'topic')} to be made: replayhouse kafka topics --apply")


def _kept(settings: Any) -> str:
    """How long a topic keeps what it has, for people."""
    if settings["cleanup.policy"] == "compact":
        return "newest of each key"
    milliseconds = int(settings["retention.ms"])
    return "for ever" if milliseconds < 0 else count(milliseconds // 3_600_000, "hour")


def _as_document(planned: "Planned") -> dict[str, Any]:
    topic, action, differences = planned
    return {
        "topic": topic.name,
        "plan": action.value,
        "partitions": topic.partitions,
        "replication": topic.replication,
        "settings": dict(topic.settings),
        "differences": [{**difference._asdict(), "advice": difference.advice} for difference in differences],
    }


def _told(broker: "Broker", *, running: bool) -> dict[str, Any]:
    return {
        "running": running,
        "bootstrap": broker.bootstrap if running else None,
        "pid": broker.pid if running else None,
        "data": str(broker.folder),
    }


def _trial_broker() -> "Broker":
    """The broker of this home. Raises UsageError where REPLAYHOUSE_KAFKA_BOOTSTRAP names others."""
    from replayhouse.infra.kafka.broker.node import trial_broker
    from replayhouse.infra.runtime.kafka_settings import load_kafka_settings
    from replayhouse.infra.runtime.settings import load_settings

    if load_kafka_settings().bootstrap is not None:
        raise UsageError(
            "REPLAYHOUSE_KAFKA_BOOTSTRAP names a cluster of your own: start and stop it there, or unset the variable "
            "to use a broker for trying out."
        )
    return trial_broker(load_settings().home)
