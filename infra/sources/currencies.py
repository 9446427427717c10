"""Whether all amounts of an extract are in the one currency of its source, where a column names that of each row."""

import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import duckdb

from replayhouse.infra.runtime.errors import Rejected
from replayhouse.infra.runtime.interrupts import interruptible
from replayhouse.infra.sources.mapping import Mapping as SourceMapping
from replayhouse.infra.sources.queries import quoted

MEMORY = "256MB"

LONGEST_WORD = 3
"""Characters of what may be quoted as a currency: a code (USD), or a sign (R$, €)."""

_OTHERS = """
    SELECT min(line), arg_min(trim({column}), line), count(*)
    FROM read_parquet($table)
    WHERE trim({column}) <> '' AND upper(trim({column})) <> $currency
    HAVING count(*) > 0
"""


class OtherCurrency(NamedTuple):
    """The first row of a file that is not in the currency of its source, and how many are not."""

    file: str
    line: int
    column: str
    word: str
    rows: int

    def told(self, currency: str) -> str:
        """A sentence; it quotes no cell that is longer than the name of a currency."""
        is_word = re.fullmatch(rf"\S{{1,{LONGEST_WORD}}}", self.word)
        word = f'"{self.word}"' if is_word else f"no code of a currency, such as {currency}"
        others = f" (and so on, in {self.rows:,} rows)" if self.rows > 1 else ""
        return (
            f"{self.file}, line {self.line}: {self.column} is {word}{others}, and amounts of this source are in "
            f"{currency}. Export the rows in {currency} only, or load them by a mapping whose [source] says "
            "their currency, into a warehouse of that one."
        )


class OtherCurrencies(Rejected):
    """Files of an extract with amounts in another currency than that of their source."""

    def __init__(self, path: Path, found: list[OtherCurrency], currency: str) -> None:
        told = [other.told(currency) for other in found]
        super().__init__(f"{path} is rejected. {told[0]}", then=told[1:])


def refuse_other_currencies(mapping: SourceMapping, tables: Mapping[str, tuple[str, Path]], path: Path) -> None:
    """Raises OtherCurrencies where a row's currency is not that of the source; rows that name none are passed over.

    `tables` are real names and Parquet files with plain cells, by the names of [files]; `path` is the extract.
    """
    found = []
    for name, file in mapping.files.items():
        if file.currency is not None:
            real, table = tables[name]
            statement = _OTHERS.format(column=quoted(file.currency))
            at = {"table": str(table), "currency": mapping.source.currency}
            with closing(interruptible(duckdb.connect(config={"memory_limit": MEMORY, "threads": 1}))) as connection:
                rows = connection.execute(statement, at).fetchall()
            found += [OtherCurrency(real, line, file.currency, word, count) for line, word, count in rows]
    if found:
        raise OtherCurrencies(path, found, mapping.source.currency)
