"""Which use cases are told of as runs of OpenLineage, and what is told of each: from its document, and no cell of it.

Who is erased, and when, is told to nobody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.quality.rules import TARGETS, Dimension, Severity
from replayhouse.infra.application.quality_report import quality_report
from replayhouse.infra.application.site import Site
from replayhouse.infra.kafka.clients import bootstrap_of
from replayhouse.infra.openlineage import datasets, facets
from replayhouse.infra.openlineage.datasets import Store
from replayhouse.infra.openlineage.facets import Document
from replayhouse.infra.openlineage.runs import Run
from replayhouse.infra.publishing.names import events_topic, state_topic
from replayhouse.infra.read_models.checkpoints import projected

_REJECTED = "The load was rejected: it is not believable as a whole. replayhouse quality report says why."


class Done(NamedTuple):
    """A use case that has come to its end: where it worked, with what, when, and what it answers."""

    site: Site
    store: Store
    run: Run
    given: Mapping[str, Any]
    told: Mapping[str, Any]

    def known(self, **facts: Any) -> list[Run]:
        """The run, with what is known of it."""
        return [replace(self.run, **facts)]


class Job(NamedTuple):
    """What is told of a use case: the name of its job, what that does, and its runs."""

    name: str
    does: str
    runs: Callable[[Done], Sequence[Run]]


# --- loads ----------------------------------------------------------------------------------------------------------


def _of_ingest(done: Done) -> list[Run]:
    """The load, and the catching up that belongs to it; nothing of a plan, and of an extract that brings nothing."""
    told, path = done.told, done.given["path"]
    if told["status"] not in ("completed", "rejected"):
        return []
    batch = UUID(str(told["batch"]))
    is_rejected = told["status"] == "rejected"
    files = [file for file, counted in told["files"].items() if counted["rows"]]
    loads = done.known(
        run_id=batch,
        outcome="FAIL" if is_rejected else "COMPLETE",
        error=_REJECTED if is_rejected else None,
        inputs=[
            datasets.read(datasets.extract(path), facets.assertions(_assertions(done.site, batch))),
            *(
                datasets.read(datasets.extract_file(path, file), facets.input_statistics(told["files"][file]["rows"]))
                for file in files
            ),
        ],
        outputs=[
            _log_after(done, datasets.from_extract(path, [one for one in told["files"] if told["files"][one]["rows"]]))
        ],
    )
    return [*loads, *(_caught_up_after(done, loads[0]) if done.given["project"] else [])]


def _assertions(site: Site, batch: UUID) -> list[Document]:
    """What the rules of quality found in a load, by rule."""
    return [
        facets.assertion(
            check["rule"],
            check["sentence"] or check["rule"],
            passed=check["passed"],
            blocks=check["severity"] == Severity.CRITICAL,
            percent=str(TARGETS[Dimension(check["dimension"])]),
            checked=check["checked"],
            failed=check["failed"],
        )
        for check in quality_report(site, str(batch)).document()["checks"]
    ]


def _of_retract(done: Done) -> list[Run]:
    """What was taken back, and the catching up that belongs to it; nothing of a plan."""
    if done.given["dry_run"]:
        return []
    retractions = done.known(inputs=[datasets.log(done.store)], outputs=[_log_after(done)])
    return [*retractions, *_caught_up_after(done, retractions[0])]


def _log_after(done: Done, *facts: Document) -> Document:
    """The log as an output: as it is now, and to how many events that made a difference."""
    log = datasets.log_with_fields(done.store, datasets.version_of(done.told), *facts)
    return datasets.written(log, facets.output_statistics(sum(done.told["events"].values())))


# --- read models ----------------------------------------------------------------------------------------------------


def _caught_up_after(done: Done, part_of: Run) -> list[Run]:
    """The catching up after a use case that changed the log: of the contexts in which something moved."""
    moved = {context for context, events in done.told["events"].items() if events}
    return _caught_up(done, moved, part_of)


def _caught_up(done: Done, contexts: set[str], part_of: Run | None = None) -> list[Run]:
    """The catching up of contexts, which show the log as far as they do now."""
    if not contexts:
        return []
    with done.site.database.connect("replayhouse lineage") as connection:
        found = {context: projected(connection, context) for context in CONTEXTS if context in contexts}
    return _projected(done, {context: known.position for context, known in found.items() if known}, part_of)


def _projected(done: Done, positions: Mapping[str, int], part_of: Run | None = None) -> list[Run]:
    if not positions:
        return []
    job = JOBS["project"]
    outputs = [
        datasets.table(done.store, context, name, facets.dataset_version(str(positions[context])))
        for context, name in datasets.tables_of(positions)
    ]
    run = Run(job.name, job.does, done.run.begun, done.run.ended, part_of=part_of)
    return [replace(run, inputs=[datasets.log(done.store)], outputs=outputs)]


def _of_project(done: Done) -> list[Run]:
    """Nothing where nothing moved."""
    contexts = done.told["contexts"]
    return _projected(done, {context: told["projected"] for context, told in contexts.items() if told["events"]})


def _of_follow(done: Done) -> list[Run]:
    """The whole time of following, once it has ended."""
    return _caught_up(done, {context for context, told in done.told["contexts"].items() if told["events"]})


def _of_project_to(done: Done) -> list[Run]:
    """Nothing where nothing moved there."""
    moved = {context: told["projected"] for context, told in done.told["contexts"].items() if told["events"]}
    outputs = [_in_clickhouse(done, context, name, str(moved[context])) for context, name in datasets.tables_of(moved)]
    return done.known(inputs=[datasets.log(done.store)], outputs=outputs) if outputs else []


def _of_rebuild_to(done: Done) -> list[Run]:
    outputs = [
        datasets.written(_in_clickhouse(done, context, name, table["digest"]), facets.output_statistics(table["rows"]))
        for context, told in done.told["contexts"].items()
        for name, table in told["tables"].items()
    ]
    return done.known(inputs=[datasets.log(done.store)], outputs=outputs)


def _in_clickhouse(done: Done, context: str, name: str, version: str) -> Document:
    address = done.site.clickhouse.address
    return datasets.table_in_clickhouse(done.store, address, context, name, facets.dataset_version(version))


def _of_rebuild(done: Done) -> list[Run]:
    return done.known(inputs=[datasets.log(done.store)], outputs=_folded(done))


def _of_rebuild_rows(done: Done) -> list[Run]:
    return done.known(inputs=[datasets.folder_of_rows(done.given["folder"])], outputs=_folded(done))


def _of_rebuild_into(done: Done) -> list[Run]:
    return done.known(inputs=[datasets.log(done.store)], outputs=_folded(done, f"{done.given['prefix']}_"))


def _of_rebuild_from_topics(done: Done) -> list[Run]:
    prefix = done.site.kafka.prefix
    topics = [_topic(done, events_topic(prefix, context)) for context in done.told["contexts"]]
    return done.known(inputs=topics, outputs=_folded(done, f"{done.given['prefix']}_"))


def _folded(done: Done, prefix: str = "") -> list[Document]:
    """The tables that a document tells rows and digests of."""
    return [
        datasets.written(
            datasets.table(
                done.store, context, name, facets.dataset_version(table["digest"]), schema=f"{prefix}{context}"
            ),
            facets.output_statistics(table["rows"]),
        )
        for context, told in done.told["contexts"].items()
        for name, table in told["tables"].items()
    ]


def _of_revert(done: Done) -> list[Run]:
    context, position = done.told["context"], done.told["to"]["position"]
    outputs = [
        datasets.table(done.store, context, name, facets.dataset_version(str(position)))
        for _, name in datasets.tables_of([context])
    ]
    return done.known(inputs=[datasets.log(done.store)], outputs=outputs)


# --- what leaves the warehouse --------------------------------------------------------------------------------------


def _of_export(done: Done) -> list[Run]:
    """Nothing where the folder is as it was."""
    if done.told["status"] == "unchanged":
        return []
    tables = [(context, name) for context, told in done.told["contexts"].items() for name in told["tables"]]
    inputs = [datasets.table(done.store, context, name) for context, name in tables]
    return done.known(
        inputs=inputs, outputs=_files(done, done.given["path"], partial(datasets.as_in_database, done.store))
    )


def _of_replay(done: Done) -> list[Run]:
    place = done.given["place"]
    outputs = _files(done, done.given["folder"], partial(datasets.as_in_sealed_log, place))
    return done.known(inputs=[datasets.sealed_log(place)], outputs=outputs)


def _files(done: Done, folder: Path, lineage: Callable[[str, str], Document]) -> list[Document]:
    """The tables of a folder, of which a document tells rows and digests."""
    return [
        datasets.written(
            datasets.table_in_folder(
                folder, context, name, facets.dataset_version(table["digest"]), lineage(context, name)
            ),
            facets.output_statistics(table["rows"]),
        )
        for context, told in done.told["contexts"].items()
        for name, table in told["tables"].items()
    ]


def _of_publish(done: Done) -> list[Run]:
    """Nothing where nothing was published."""
    prefix = done.site.kafka.prefix
    published = {name: told for name, told in done.told["contexts"].items() if told["events"]}
    outputs = [
        datasets.written(
            _topic(done, _topic_of(prefix, relay), facets.dataset_version(str(told["position"]))),
            facets.output_statistics(told["events"]),
        )
        for relay, told in published.items()
    ]
    return done.known(inputs=[datasets.log(done.store)], outputs=outputs) if outputs else []


def _topic_of(prefix: str, relay: str) -> str:
    context, _, state = relay.partition(".")
    return state_topic(prefix, context) if state else events_topic(prefix, context)


def _topic(done: Done, name: str, *told: Document) -> Document:
    return datasets.topic(bootstrap_of(done.site.settings, done.site.kafka), name, *told)


_CATCHES_UP = "Catches the read models up with the log."
_REBUILDS = "Folds every stream again into new tables, which take the place of those that stand."
_BESIDE = "Folds the log, as far as limits go, into tables beside the live ones."

JOBS: Mapping[str, Job] = {
    "ingest": Job("ingest", "Loads an extract: its records become events of the log.", _of_ingest),
    "retract": Job("retract", "Takes loads back: what they brought to the log counts no longer.", _of_retract),
    "project": Job("project", _CATCHES_UP, _of_project),
    "follow": Job("project", _CATCHES_UP, _of_follow),
    "project_to": Job("project", _CATCHES_UP, _of_project_to),
    "rebuild": Job("rebuild", _REBUILDS, _of_rebuild),
    "rebuild_to": Job("rebuild", _REBUILDS, _of_rebuild_to),
    "rebuild_rows": Job("rebuild", _REBUILDS, _of_rebuild_rows),
    "rebuild_into": Job("rebuild_into", _BESIDE, _of_rebuild_into),
    "rebuild_from_topics": Job("rebuild_from_topics", _BESIDE, _of_rebuild_from_topics),
    "revert": Job("revert", "Swaps an earlier revision of a read model in again.", _of_revert),
    "export": Job("export", "Writes the read models into a folder of files.", _of_export),
    "replay": Job("replay", "Folds a sealed log into a folder of files, without a database.", _of_replay),
    "publish": Job("publish", "Publishes events of the log on their topics.", _of_publish),
}
"""By the name of the use case."""
