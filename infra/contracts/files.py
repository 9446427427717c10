"""What is generated and checked in, by path: contracts, the schema of mappings, the sources for dbt, the kit's models,
what the adapter for Dagster knows of the warehouse, the reference for consumers, the data dictionary, the lineage of
columns, and the page of the questions.
"""

from pathlib import Path

from replayhouse.infra.contracts.asyncapi import asyncapi_document
from replayhouse.infra.contracts.column_lineage import columns_file
from replayhouse.infra.contracts.column_page import column_page
from replayhouse.infra.contracts.dbt import sources_file
from replayhouse.infra.contracts.dictionary import dictionary_page
from replayhouse.infra.contracts.headers import NAME as HEADERS
from replayhouse.infra.contracts.headers import headers_schema
from replayhouse.infra.contracts.models import source_of_models
from replayhouse.infra.contracts.orchestration import warehouse_file
from replayhouse.infra.contracts.page import reference_page
from replayhouse.infra.contracts.questions_page import questions_page
from replayhouse.infra.contracts.revisions import FOLDER, Revisions, contracts_in_force, file_of, in_text
from replayhouse.infra.contracts.schemas import Schema, current_schemas
from replayhouse.infra.sources.mapping import json_schema

Files = dict[Path, str]

CONTRACTS = "contracts"
ASYNCAPI = "contracts/asyncapi.json"
COLUMNS = "contracts/lineage/columns.json"
SOURCE = "contracts/source.toml.json"
DBT = "contracts/dbt/replayhouse.yml"
REFERENCE = "docs/consuming-reference.md"
DICTIONARY = "docs/data-dictionary.md"
COLUMN_LINEAGE = "docs/column-lineage.md"
QUESTIONS = "docs/questions.md"
MODELS = "consumer/replayhouse_consumer/events.py"
WAREHOUSE = "dagster/replayhouse_dagster/warehouse.json"


def made_files(root: Path) -> Files:
    """All generated files of the repository at `root` with their text; nothing is written.

    Raises BrokenContract where a contract cannot stand beside what was published.
    """
    folder = root / CONTRACTS
    contracts = contracts_in_force(made_contracts(), Revisions(folder))
    files = {folder / f"{file_of(name)}.json": in_text(schema) for name, schema in contracts.items()}
    files[root / ASYNCAPI] = in_text(asyncapi_document(contracts))
    files[root / COLUMNS] = columns_file()
    files[root / SOURCE] = in_text(json_schema())
    files[root / DBT] = sources_file()
    files[root / REFERENCE] = reference_page(contracts)
    files[root / DICTIONARY] = dictionary_page()
    files[root / COLUMN_LINEAGE] = column_page()
    files[root / QUESTIONS] = questions_page()
    files[root / MODELS] = source_of_models({name: contract for name, contract in contracts.items() if name != HEADERS})
    files[root / WAREHOUSE] = warehouse_file()
    return files


def made_contracts() -> dict[str, Schema]:
    """What is made from the code: the events as they are recorded now, in the registry's order, and the headers."""
    return {**current_schemas(), HEADERS: headers_schema()}


def publish(root: Path) -> list[Path]:
    """Adds to the revisions what differs from the newest ones; the files added."""
    revisions = Revisions(root / CONTRACTS)
    added = [revisions.publish(name, schema) for name, schema in made_contracts().items()]
    return [path for path in added if path is not None]


def stale_files(root: Path, files: Files) -> list[Path]:
    """The files that are not as they would be made: changed, missing, or no longer made by anybody."""
    folder = root / CONTRACTS
    there = {path for path in folder.rglob("*.json") if path.relative_to(folder).parts[0] != FOLDER}
    revisions = Revisions(folder)
    unpublished = [
        revisions.path_of(name, len(revisions.of(name)) + 1)
        for name, schema in made_contracts().items()
        if revisions.of(name)[-1:] != [schema]
    ]
    differing = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return [*differing, *sorted(there - set(files)), *unpublished]
