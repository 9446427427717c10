"""A table of the star schema, in memory, for whatever works with data frames."""

from dataclasses import dataclass

import pyarrow as pa

from replayhouse.infra.application.rows_shown import note_rows
from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models import arrow
from replayhouse.infra.read_models.frames import Frame
from replayhouse.infra.read_models.preparing import prepare


@dataclass(frozen=True, eq=False)
class Table(Frame):
    """A table as it stood when it was read; whatever takes Arrow takes it as it is, such as DuckDB and Polars.

    `arrow` is a `pyarrow.Table`. The rows are in no particular order.
    """

    name: str
    arrow: pa.Table

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self):,} rows, {self.arrow.num_columns} columns>"


def table(site: Site, name: str) -> Table:
    """Reads a table or view: one of a context, `shared.dim_date`, of the schema `mart`, or one under a prefix.

    Where columns of it are personal, or may be, that is noted in the access log first, for everybody in it.
    """
    with site.database.connect("replayhouse table", autocommit=True) as connection:
        prepare(connection)
        if name in arrow.tables(connection):
            note_rows(site, "table", "the table", name, None)
        return Table(name, arrow.read(connection, name))
