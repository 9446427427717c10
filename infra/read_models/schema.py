"""The tables of one revision of a context's read model: made from the declarations in `projections`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import psycopg
from psycopg import sql
from sqlalchemy import Dialect, MetaData, SelectBase, Table
from sqlalchemy.schema import CreateSchema, CreateTable, ExecutableDDLElement, SetTableComment

from replayhouse.domain.contexts import Context
from replayhouse.infra.postgres.roles import STEWARD, grant
from replayhouse.infra.read_models.copy_text import copy_data, line_writer
from replayhouse.projections.links import comment_of, links_within
from replayhouse.projections.projection import Projection, Row, indexed_columns, personal_columns
from replayhouse.projections.warehouse import PROJECTIONS

_DROP_KEY = sql.SQL("ALTER TABLE {table} DROP CONSTRAINT {key}")
_ADD_KEY = sql.SQL("ALTER TABLE {table} ADD CONSTRAINT {key} PRIMARY KEY ({columns})")
_DROP_INDEX = sql.SQL("DROP INDEX {}")
_ADD_INDEX = sql.SQL("CREATE INDEX IF NOT EXISTS {index} ON {table} ({column})")
# Nothing is checked and nothing is slower, and tools that draw tables draw these lines: docs/decisions/0028.
_LINK = sql.SQL("""
    ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {other} ({key}) NOT ENFORCED
""")
_CAN_LINK = 180_000  # the version of the server
_NO_STATISTICS = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET STATISTICS 0")


@dataclass(frozen=True)
class Model:
    """One revision of a context's read model, in the schema where it stands."""

    projection: Projection
    schema: str

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The declared tables by name, moved to the schema of this revision."""
        metadata = MetaData(schema=self.schema)
        return {t.name: t.to_metadata(metadata, schema=self.schema) for t in self.projection.tables}

    def projection_table(self, name: str) -> Table:
        """The table as it is declared: the same object for all revisions."""
        return next(table for table in self.projection.tables if table.name == name)

    def create(self, conn: psycopg.Connection) -> None:
        """Makes schema, tables with their keys and unknown members, and views, with comments and grants."""
        create_schema(conn, self.schema, Context(self.projection.context).shows)
        for table in self.tables.values():
            create_table(conn, table)
        for name, rows in self.projection.unknown_members.items():
            copy_rows(conn, self.tables[name], rows)
        self._create_views(conn)
        grant(conn, self.schema)
        if self.projection.context == "quality":
            grant(conn, self.schema, STEWARD)

    def link(self, conn: psycopg.Connection) -> None:
        """Declares the links among the tables, whose primary keys are there, as foreign keys that are not enforced.

        Servers before PostgreSQL 18 have none of that kind; there the comments of the columns tell.
        """
        if conn.info.server_version < _CAN_LINK:
            return
        for column, link in links_within(self.projection.tables):
            table = column.table.name
            statement = _LINK.format(
                table=sql.Identifier(self.schema, table),
                name=sql.Identifier(f"{table}_{column.name}_fkey"),
                column=sql.Identifier(column.name),
                other=sql.Identifier(self.schema, link.table),
                key=sql.Identifier(link.column),
            )
            conn.execute(statement)

    def _create_views(self, conn: psycopg.Connection) -> None:
        for view in self.projection.views:
            query = view.select(self.tables)
            name = sql.Identifier(self.schema, view.name)
            conn.execute(sql.SQL("CREATE VIEW {} AS ").format(name).as_bytes(conn) + compiled(query))
            conn.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(name, sql.Literal(view.comment)))
            for column, comment in view.column_comments.items():
                comment_on_column(conn, self.schema, view.name, column, comment)


def create_table(conn: psycopg.Connection, table: Table) -> None:
    """Makes a table as it is declared, with its keys and comments, and no statistics on personal columns."""
    run(conn, CreateTable(table))
    add_indexes(conn, table)
    for name in personal_columns(table):
        conn.execute(_NO_STATISTICS.format(qualified(table), sql.Identifier(name)))
    run(conn, SetTableComment(table))
    for column in table.columns:
        comment_on_column(conn, table.schema or "public", table.name, column.name, comment_of(column))


def drop_keys(conn: psycopg.Connection, table: Table) -> None:
    """Removes primary key and indexes; rows come in faster without, and the key's columns stay not null."""
    conn.execute(_DROP_KEY.format(table=qualified(table), key=_key_of(table)))
    for column in indexed_columns(table):
        conn.execute(_DROP_INDEX.format(sql.Identifier(table.schema or "public", _index_of(table, column))))


def add_keys(conn: psycopg.Connection, table: Table) -> None:
    """Makes primary key and indexes, under the names that PostgreSQL would give them."""
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.primary_key.columns)
    conn.execute(_ADD_KEY.format(table=qualified(table), key=_key_of(table), columns=columns))
    add_indexes(conn, table)


def add_indexes(conn: psycopg.Connection, table: Table) -> None:
    """Makes those of the indexes that are not there: tables of an earlier program may lack some."""
    for column in indexed_columns(table):
        name = sql.Identifier(_index_of(table, column))
        conn.execute(_ADD_INDEX.format(index=name, table=qualified(table), column=sql.Identifier(column)))


def _index_of(table: Table, column: str) -> str:
    return f"{table.name}_{column}_idx"


def _key_of(table: Table) -> sql.Identifier:
    return sql.Identifier(f"{table.name}_pkey")


def copy_rows(conn: psycopg.Connection, table: Table, rows: Sequence[Row]) -> None:
    """Adds rows to a table."""
    lines = line_writer(table).lines(rows)
    data = copy_data(lines, [row[-1] for row in rows]) if "position" in table.columns else b"\n".join([*lines, b""])
    copy_into(conn, qualified(table), data)


def copy_into(conn: psycopg.Connection, table: sql.Composable, data: bytes | memoryview) -> None:
    """Sends lines in COPY's text form, each with its end, to a table (perhaps with a list of columns)."""
    with conn.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
        copy.write(data)


def qualified(table: Table) -> sql.Identifier:
    """The table's name with its schema."""
    return sql.Identifier(table.schema or "public", table.name)


@cache
def _dialect() -> Dialect:
    # Imported here because it brings all drivers along: the processes of a rebuild make no tables and need none.
    from sqlalchemy.dialects import postgresql

    dialect: Dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy does not annotate it
    return dialect


def compiled(query: SelectBase) -> bytes:
    """A query as text, its values in it: what a view is made of."""
    return str(query.compile(dialect=_dialect(), compile_kwargs={"literal_binds": True})).encode()


def run(conn: psycopg.Connection, statement: ExecutableDDLElement) -> None:
    """Executes a statement of SQLAlchemy's."""
    conn.execute(str(statement.compile(dialect=_dialect())).encode())


def create_schema(conn: psycopg.Connection, schema: str, comment: str) -> None:
    """Makes a schema with its comment."""
    run(conn, CreateSchema(schema))
    conn.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema), sql.Literal(comment)))


def comment_on_column(conn: psycopg.Connection, schema: str, table: str, column: str, comment: str) -> None:
    """Gives a column of a table or view its comment."""
    name = sql.Identifier(schema, table, column)
    conn.execute(sql.SQL("COMMENT ON COLUMN {} IS {}").format(name, sql.Literal(comment)))


@cache
def model_of(context: str, schema: str) -> Model:
    """The revision in that schema; made once, for its tables cost some milliseconds."""
    return Model(PROJECTIONS[context], schema)
