"""Runs of commands as events of OpenLineage: a START, and a COMPLETE, FAIL or ABORT."""

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from urllib.parse import unquote
from uuid import UUID

from replayhouse.infra.openlineage import facets
from replayhouse.infra.openlineage.facets import Document

NAMESPACE = "replayhouse"
"""The namespace of our jobs, where OPENLINEAGE_NAMESPACE names no other."""

Outcome = Literal["COMPLETE", "FAIL", "ABORT"]

_EVENT = f"{facets.SPECIFICATION}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_PARENT = re.compile(r"(?P<namespace>[^/]+)/(?P<job>.+)/(?P<run>[^/]+)")


@dataclass(frozen=True)
class Run:
    """A run that has ended. `does` says what its job is there for; `error` is a sentence of our own."""

    job: str
    does: str
    begun: datetime
    ended: datetime
    outcome: Outcome = "COMPLETE"
    run_id: UUID = field(default_factory=lambda: new_run_id())
    inputs: Sequence[Document] = ()
    outputs: Sequence[Document] = ()
    error: str | None = None
    part_of: "Run | None" = None


def new_run_id() -> UUID:
    """A UUID of version 7 (RFC 9562): by time, the rest by chance."""
    milliseconds = int(datetime.now(UTC).timestamp() * 1_000)
    number = milliseconds << 80 | secrets.randbits(80)
    return UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def namespace_of(environment: Mapping[str, str] = os.environ) -> str:
    """The namespace of our jobs."""
    return environment.get("OPENLINEAGE_NAMESPACE") or NAMESPACE


def events_of(run: Run, environment: Mapping[str, str] = os.environ) -> list[Document]:
    """The two events of a run, as the specification writes them."""
    namespace = namespace_of(environment)
    parent = (
        facets.parent_run(str(run.part_of.run_id), namespace, run.part_of.job)
        if run.part_of
        else _parent_in(environment)
    )
    job = {
        "namespace": namespace,
        "name": run.job,
        "facets": {**facets.job_type(), **facets.job_documentation(run.does)},
    }
    why = {} if run.error is None else facets.error_message(run.error)
    told: Document = {"job": job, "producer": facets.producer(), "schemaURL": _EVENT}
    return [
        {
            **told,
            "eventType": "START",
            "eventTime": run.begun.isoformat(),
            "run": {"runId": str(run.run_id), "facets": parent},
        },
        {
            **told,
            "eventType": run.outcome,
            "eventTime": run.ended.isoformat(),
            "run": {"runId": str(run.run_id), "facets": {**parent, **why}},
            "inputs": list(run.inputs),
            "outputs": list(run.outputs),
        },
    ]


def _parent_in(environment: Mapping[str, str]) -> Document:
    """The facet of the run that has started us, as schedulers name it in the environment; empty where none does.

    OPENLINEAGE_PARENT_ID is `namespace/job/run`, as Airflow's macro lineage_parent_id has it, and
    OPENLINEAGE_ROOT_PARENT_ID the same of the root; or each part stands in a variable of its own. Of Dagster it is the
    run in DAGSTER_RUN_ID.
    """
    parts = [environment.get(f"OPENLINEAGE_PARENT_{part}", "") for part in ("JOB_NAMESPACE", "JOB_NAME", "RUN_ID")]
    of_dagster = ["dagster", environment.get("DAGSTER_RUN_JOB_NAME") or "run", environment.get("DAGSTER_RUN_ID", "")]
    named = (_run_named(environment.get("OPENLINEAGE_PARENT_ID", "")), _run_of(*parts), _run_of(*of_dagster))
    parent = next((one for one in named if one is not None), None)
    if parent is None:
        return {}
    root = _run_named(environment.get("OPENLINEAGE_ROOT_PARENT_ID", ""))
    return facets.parent_run(parent.run, parent.namespace, parent.job, root.document() if root else None)


class _Named(NamedTuple):
    """A run of somebody else."""

    namespace: str
    job: str
    run: str

    def document(self) -> Document:
        """As the facet of a parent tells of the root."""
        return {"run": {"runId": self.run}, "job": {"namespace": self.namespace, "name": self.job}}


def _run_named(text: str) -> _Named | None:
    """The run that a text names; None for what names none."""
    found = _PARENT.fullmatch(text.strip())
    return _run_of(unquote(found["namespace"]), unquote(found["job"]), found["run"]) if found else None


def _run_of(namespace: str, job: str, run: str) -> _Named | None:
    try:
        return _Named(namespace, job, str(UUID(run))) if namespace and job else None
    except ValueError:
        return None
