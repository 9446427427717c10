"""A table of the star schema, in memory, for whatever works with data frames."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pyarrow as pa

from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models import arrow
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.runtime.errors import ReplayhouseError


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it stood when it was read; whatever takes Arrow takes it as it is, such as DuckDB and Polars.

    `arrow` is a `pyarrow.Table`. The rows are in no particular order.
    """

    name: str
    arrow: pa.Table

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self):,} rows, {self.arrow.num_columns} columns>"

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows by the C interface of Arrow."""
        return self.arrow.__arrow_c_stream__(requested_schema)

    def pandas(self) -> Any:
        """A `pandas.DataFrame`. Raises ReplayhouseError where pandas is not installed."""
        _installed("pandas")
        return self.arrow.to_pandas()

    def polars(self) -> Any:
        """A `polars.DataFrame`. Raises ReplayhouseError where polars is not installed."""
        return _installed("polars").from_arrow(self.arrow)


def table(site: Site, name: str) -> Table:
    """Reads a table or view: one of a context, `shared.dim_date`, of the schema `mart`, or one under a prefix."""
    with site.database.connect("replayhouse table", autocommit=True) as connection:
        prepare(connection)
        return Table(name, arrow.read(connection, name))


def _installed(package: str) -> Any:
    try:
        return import_module(package)
    except ImportError as error:
        raise ReplayhouseError(
            f"{package} is not installed in this environment: pip install {package}, or use the table as it is (arrow)."
        ) from error
