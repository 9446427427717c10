"""Rows in memory for whatever works with data frames: as Arrow, and as what else is installed makes of that."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from replayhouse.infra.runtime.errors import ReplayhouseError

if TYPE_CHECKING:
    import pyarrow as pa


class Frame:
    """What has `arrow`, a `pyarrow.Table`; whatever takes Arrow takes it as it is, such as DuckDB and Polars."""

    arrow: "pa.Table"

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


def _installed(package: str) -> Any:
    try:
        return import_module(package)
    except ImportError as error:
        raise ReplayhouseError(
            f"{package} is not installed in this environment: pip install {package}, or use the table as it is (arrow)."
        ) from error
