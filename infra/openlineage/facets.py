"""Facets of OpenLineage, as documents: what the program says of runs, jobs and datasets, and no cell of any.

Names, versions and fields are those of https://openlineage.io/spec/facets; a test holds them against its schemas.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

Document = dict[str, Any]
"""A part of an event, as JSON has it."""

SPECIFICATION = "https://openlineage.io/spec"


@cache
def producer() -> str:
    """The URI that says who tells: the package URL of this program in this version."""
    return f"pkg:pypi/replayhouse@{version('replayhouse')}"


def _facet(schema: str, revision: str, told: Mapping[str, Any]) -> Document:
    url = f"{SPECIFICATION}/facets/{revision}/{schema}.json#/$defs/{schema}"
    return {"_producer": producer(), "_schemaURL": url, **told}


# --- of datasets ----------------------------------------------------------------------------------------------------


def schema(fields: Iterable[tuple[str, str, str]]) -> Document:
    """The fields of a dataset: name, type and meaning of each."""
    told = [{"name": name, "type": kind, "description": meaning} for name, kind, meaning in fields]
    return {"schema": _facet("SchemaDatasetFacet", "1-2-0", {"fields": told})}


def dataset_documentation(text: str) -> Document:
    """What a dataset is."""
    return {"documentation": _facet("DocumentationDatasetFacet", "1-1-0", {"description": text})}


def dataset_version(text: str) -> Document:
    """Which state of a dataset: where two are equal, so is what stands in it."""
    return {"version": _facet("DatasetVersionDatasetFacet", "1-0-1", {"datasetVersion": text})}


def data_source(name: str, uri: str | None = None) -> Document:
    """What holds a dataset."""
    return {"dataSource": _facet("DatasourceDatasetFacet", "1-0-1", {"name": name, **({"uri": uri} if uri else {})})}


def column_lineage(fields: Mapping[str, Iterable[Document]]) -> Document:
    """From which fields of which datasets each field follows; see `input_field`."""
    told = {name: {"inputFields": list(inputs)} for name, inputs in fields.items()}
    return {"columnLineage": _facet("ColumnLineageDatasetFacet", "1-2-0", {"fields": told})}


def input_field(namespace: str, name: str, field: str, *, is_identity: bool = False) -> Document:
    """A field that another follows from: the same value, or what it is made of."""
    how = {"type": "DIRECT", "subtype": "IDENTITY" if is_identity else "TRANSFORMATION"}
    return {"namespace": namespace, "name": name, "field": field, "transformations": [how]}


def input_statistics(rows: int) -> Document:
    """How many rows were read."""
    return {"inputStatistics": _facet("InputStatisticsInputDatasetFacet", "1-0-0", {"rowCount": rows})}


def output_statistics(rows: int) -> Document:
    """How many rows stand there now; of the log, how many were added."""
    return {"outputStatistics": _facet("OutputStatisticsOutputDatasetFacet", "1-0-2", {"rowCount": rows})}


def assertions(told: Iterable[Document]) -> Document:
    """What was asserted of a dataset that was read, and whether it holds; see `assertion`."""
    facet = _facet("DataQualityAssertionsDatasetFacet", "1-1-0", {"assertions": list(told)})
    return {"dataQualityAssertions": facet}


def assertion(
    rule: str, sentence: str, *, passed: bool, blocks: bool, percent: str, checked: int, failed: int
) -> Document:
    """A rule, whether its target (a share of records, in percent) was met, and how many of how many broke it."""
    return {
        "assertion": rule,
        "name": rule,
        "description": sentence,
        "success": passed,
        "severity": "error" if blocks else "warn",
        "expected": f"{percent} % of {checked} keep it",
        "actual": f"{failed} of {checked} break it",
    }


# --- of jobs and runs -----------------------------------------------------------------------------------------------


def job_type() -> Document:
    """What kind of job all of ours are."""
    told = {"processingType": "BATCH", "integration": "REPLAYHOUSE", "jobType": "COMMAND"}
    return {"jobType": _facet("JobTypeJobFacet", "2-0-4", told)}


def job_documentation(text: str) -> Document:
    """What a job does."""
    return {"documentation": _facet("DocumentationJobFacet", "1-1-0", {"description": text})}


def error_message(text: str) -> Document:
    """Why a run failed, in a sentence of the program's own."""
    return {"errorMessage": _facet("ErrorMessageRunFacet", "1-0-1", {"message": text, "programmingLanguage": "Python"})}


def parent_run(run_id: str, namespace: str, job: str, root: Document | None = None) -> Document:
    """The run that this one is a part of, and the one at the root of all of them."""
    told = {"run": {"runId": run_id}, "job": {"namespace": namespace, "name": job}}
    return {"parent": _facet("ParentRunFacet", "1-2-0", {**told, **({"root": root} if root else {})})}
