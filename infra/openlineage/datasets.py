"""What commands read and write, as datasets of OpenLineage: extracts, the log, tables, files and topics.

Names are those of https://openlineage.io/docs/spec/naming. A dataset tells how it is made up and how much of it there
is; of a path it tells the last part only, for what stands before that may be private.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from inspect import cleandoc
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from psycopg import conninfo
from sqlalchemy import Table

from replayhouse.domain.contexts import Context
from replayhouse.domain.kernel.meaning import Means
from replayhouse.infra.openlineage import facets
from replayhouse.infra.openlineage.columns import (
    POSITION_OF_STREAM,
    STREAM,
    cells_behind,
    event_name,
    field_name,
    fields_behind,
)
from replayhouse.infra.openlineage.facets import Document
from replayhouse.infra.runtime.clickhouse_settings import Address
from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.ingest.records import RECORDS
from replayhouse.projections.fingerprint import shapes_of
from replayhouse.projections.projection import columns_without_position
from replayhouse.projections.warehouse import PROJECTIONS

FILE = "file"
"""The namespace of files."""

LOG = "event_store.log"

_LOG_IS = "The log of the warehouse: every event of every stream, in the order in which it was recorded."
_EXTRACT_IS = "An extract of the marketplace: a folder or a zip with some of the nine files."
_FILE_IS = "One of the nine files of an extract."
_ROWS_ARE = "Rows of the star schema, folded from a sealed log."
_SEALED_IS = "A sealed log: the events of a warehouse as Parquet files."
_STREAM_IS = "the stream: the thing that its events are about"
_POSITION_IS = "the position in the log of the newest event of a stream"
_TOPIC_IS = "What is published of a context of the warehouse."


class Store(NamedTuple):
    """Where the tables of a warehouse stand: the namespace, what their names begin with, and what holds them."""

    namespace: str
    before: str
    source: Document

    def dataset(self, name: str, *told: Document) -> Document:
        """A table of the warehouse, by its name with the schema."""
        return dataset(self.namespace, self.before + name, self.source, *told)

    def input_field(self, name: str, field: str, *, is_identity: bool = False) -> Document:
        """A field of it that another follows from."""
        return facets.input_field(self.namespace, self.before + name, field, is_identity=is_identity)


def store_of(database_url: str | None, namespace: str) -> Store:
    """The store of a database of one's own, by its libpq URL; else the embedded one, in the namespace of the jobs.

    Of the URL its host, its port and the name of the database are told.
    """
    if database_url is None:
        return Store(namespace, "", facets.data_source("PostgreSQL, embedded"))
    given = conninfo.conninfo_to_dict(database_url)
    host = str(given.get("host") or given.get("hostaddr") or "localhost").partition(",")[0]
    port = str(given.get("port") or "").partition(",")[0] or "5432"
    if host.startswith(("/", "@")):  # a socket of this machine
        host = "localhost"
    address = f"postgres://{f'[{host}]' if ':' in host else host}:{port}"
    database = str(given.get("dbname") or given.get("user") or "postgres")
    return Store(address, f"{database}.", facets.data_source("PostgreSQL", f"{address}/{database}"))


def dataset(namespace: str, name: str, *told: Document) -> Document:
    """A dataset with its facets."""
    return {"namespace": namespace, "name": name, "facets": {key: facet for one in told for key, facet in one.items()}}


def read(one: Document, *told: Document) -> Document:
    """The dataset as one that was read."""
    return {**one, "inputFacets": {key: facet for each in told for key, facet in each.items()}}


def written(one: Document, *told: Document) -> Document:
    """The dataset as one that was written."""
    return {**one, "outputFacets": {key: facet for each in told for key, facet in each.items()}}


# --- extracts -------------------------------------------------------------------------------------------------------


def last_part(path: object) -> str:
    """What is told of a path."""
    return PurePath(str(path)).name or "extract"


def extract(path: object) -> Document:
    """The extract at a path, as a whole."""
    return dataset(FILE, last_part(path), facets.dataset_documentation(_EXTRACT_IS))


def extract_file(path: object, file: str) -> Document:
    """A file of the extract at a path, by its short name."""
    told = [(column.name, column.kind.value, column.field) for column in RECORDS[file].columns()]
    return dataset(FILE, file_of_extract(path, file), facets.dataset_documentation(_FILE_IS), facets.schema(told))


def file_of_extract(path: object, file: str) -> str:
    """Its name, as the source calls it."""
    return f"{last_part(path)}/{SOURCE_FILES[file].name}"


# --- the log --------------------------------------------------------------------------------------------------------


def log(store: Store, *told: Document) -> Document:
    """The log, as one that is read: what its fields are is told where it is written."""
    return store.dataset(LOG, facets.dataset_documentation(_LOG_IS), *told)


def log_with_fields(store: Store, *told: Document) -> Document:
    """The log, with every field of every event."""
    return log(store, facets.schema(event_fields()), *told)


@cache
def event_fields() -> tuple[tuple[str, str, str], ...]:
    """Name, type and meaning: of every event that is recorded now, of each of its fields, of what streams have."""
    told: list[tuple[str, str, str]] = []
    for context in Context:
        name = context.value
        told += [(f"{name}.{STREAM}", "UUID", _STREAM_IS), (f"{name}.{POSITION_OF_STREAM}", "int", _POSITION_IS)]
        for event in context.events:
            told.append((event_name(name, event.__name__), "event", cleandoc(event.__doc__ or "").partition("\n")[0]))
            told += (
                (field_name(name, event.__name__, path), kind, meaning) for path, kind, meaning in _fields_of(event, "")
            )
    return tuple(told)


def _fields_of(shape: type[Any], within: str) -> Iterator[tuple[str, str, str]]:
    hints = get_type_hints(shape, include_extras=True)
    for field in fields(shape):
        kind, means = _told(hints[field.name])
        if is_dataclass(kind):
            assert isinstance(kind, type)  # and no instance of one
            yield from _fields_of(kind, f"{within}{field.name}.")
        else:
            yield f"{within}{field.name}", _word(kind), means.text if means else ""


def _told(hint: Any) -> tuple[Any, Means | None]:
    """The type of a field without None, and what is said of it; of many, that of one."""
    means = next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Means)), None)
    kind = get_args(hint)[0] if means else hint
    if isinstance(kind, UnionType):
        kind = next(one for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is tuple:
        inner, its_means = _told(get_args(kind)[0])
        return inner, means or its_means
    return kind, means


def _word(kind: Any) -> str:
    """A type as people name it; words of a fixed list are texts."""
    return getattr(kind, "__name__", "str") if get_origin(kind) is None else "str"


def from_extract(path: object, files: Collection[str]) -> Document:
    """From which columns of the files of an extract the fields of the log follow."""
    found = {
        field: [
            facets.input_field(FILE, file_of_extract(path, file), column) for file, column in cells if file in files
        ]
        for field, cells in cells_behind().items()
    }
    return facets.column_lineage({field: inputs for field, inputs in found.items() if inputs})


# --- tables ---------------------------------------------------------------------------------------------------------


def table(store: Store, context: str, name: str, *told: Document, schema: str | None = None) -> Document:
    """A folded table of a context, in its schema or another one, and from which fields of the log it follows."""
    return store.dataset(f"{schema or context}.{name}", *_folded(store, context, name), *told)


def table_in_clickhouse(store: Store, address: Address, context: str, name: str, *told: Document) -> Document:
    """The same as ClickHouse shows it; `store` is where the log is."""
    if address.folder:
        namespace, before = FILE, f"{last_part(address.folder)}/"
    else:
        namespace, _, database = address.place.rpartition("/")
        before = f"{database}."
    source = facets.data_source("ClickHouse", None if address.folder else address.place)
    return dataset(namespace, f"{before}{context}_{name}", source, *_folded(store, context, name), *told)


def _folded(store: Store, context: str, name: str) -> tuple[Document, ...]:
    """What a table is, what its columns are, and from which fields of the log in the store they follow."""
    table = declared(context, name)
    lineage = {
        column: [store.input_field(LOG, field, is_identity=is_copy) for field, is_copy in sorted(fields.items())]
        for column, fields in fields_behind(f"{context}.{name}").items()
        if column in columns_without_position(table)
    }
    return *of_table(table), facets.column_lineage(lineage)


def declared(context: str, name: str) -> Table:
    """A table as its projection declares it."""
    return next(table for table in PROJECTIONS[context].tables if table.name == name)


def of_table(table: Table) -> tuple[Document, Document]:
    """What a table is and what its columns are, whatever holds it."""
    wanted = set(columns_without_position(table))
    told = [
        (shape.name, shape.type, str(column.comment))
        for column, shape in zip(table.columns, shapes_of([table])[table.name], strict=True)
        if shape.name in wanted
    ]
    return facets.dataset_documentation(f"{table.comment}."), facets.schema(told)


def tables_of(contexts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Context and name of every folded table of these."""
    for context in contexts:
        for one in PROJECTIONS[context].tables:
            yield context, one.name


def version_of(told: Mapping[str, Any]) -> Document:
    """The state of the log that a document tells: position and chain, where it tells that."""
    return facets.dataset_version(f"{told['position']}:{told['chain']}" if told.get("chain") else str(told["position"]))


# --- files and topics -----------------------------------------------------------------------------------------------


def table_in_folder(folder: object, context: str, name: str, *told: Document) -> Document:
    """A table as it stands in a folder that `export` or `replay` wrote."""
    return dataset(FILE, f"{last_part(folder)}/{context}/{name}", *of_table(declared(context, name)), *told)


def as_in_database(store: Store, context: str, name: str) -> Document:
    """That the columns of a table in a folder are those of the table in the database."""
    names = columns_without_position(declared(context, name))
    table = f"{context}.{name}"
    return facets.column_lineage({one: [store.input_field(table, one, is_identity=True)] for one in names})


def as_in_sealed_log(place: object, context: str, name: str) -> Document:
    """From which fields of a sealed log the columns of a table in a folder follow."""
    names, log = columns_without_position(declared(context, name)), last_part(place)
    found = {
        column: [facets.input_field(FILE, log, one, is_identity=is_copy) for one, is_copy in sorted(fields.items())]
        for column, fields in fields_behind(f"{context}.{name}").items()
        if column in names
    }
    return facets.column_lineage(found)


def folder_of_rows(folder: object) -> Document:
    """A folder that `replay` wrote, as a whole."""
    return dataset(FILE, last_part(folder), facets.dataset_documentation(_ROWS_ARE))


def sealed_log(place: object) -> Document:
    """A sealed log, as a whole."""
    return dataset(FILE, last_part(place), facets.dataset_documentation(_SEALED_IS), facets.schema(event_fields()))


def topic(bootstrap: str, name: str, *told: Document) -> Document:
    """A topic, at the first of the brokers that are named."""
    return dataset(f"kafka://{bootstrap.partition(',')[0]}", name, facets.dataset_documentation(_TOPIC_IS), *told)
