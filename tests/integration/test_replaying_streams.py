"""Any streams, sealed in any pieces and folded in any parts: their rows are those that a rebuild makes of the log."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.columns import runs
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.read_models.copy_text import line_writer, lines_of
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.read_models.snapshots.time_travel import rebuild_into
from replayhouse.infra.replaying.folding import FoldedTable, fold_range, fold_rows
from replayhouse.infra.replaying.keys import KeysOfDatabase
from replayhouse.infra.replaying.parts import parts_of
from replayhouse.infra.runtime import column_folds
from replayhouse.infra.sealed_log import sealing
from replayhouse.infra.sealed_log.reader import SealedLog, open_sealed_log
from replayhouse.projections.digest import Digest, digest_of
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.histories import Histories, Steps, folded, fresh_database, histories

Digests = dict[str, dict[str, Digest]]


# Not made smaller: each attempt takes a second.
@settings(max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    streams=histories(),
    steps=st.lists(st.integers(1, 4), max_size=3),
    segment=st.integers(1, 20),
    part=st.integers(1, 9),
    share=st.floats(0, 1),
    columns=st.sampled_from(("on", "off")),
)
def test_what_a_sealed_log_folds_to_is_what_the_log_does(
    server: EmbeddedServer,
    streams: Histories,
    steps: Sequence[int],
    segment: int,
    part: int,
    share: float,
    columns: str,
) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        TemporaryDirectory() as folder,
        fresh_database(server) as database,
        database.connect(autocommit=True) as conn,
    ):
        patch.setattr(sealing, "EVENTS_A_SEGMENT", segment)
        patch.setattr(runs, "LEAST_STREAMS", 1)
        patch.setenv(column_folds.VARIABLE, columns)
        sealed, keys, appending = Path(folder) / "sealed", KeysOfDatabase(database.url), Steps(conn, streams)
        for most in (*steps, 99):
            appending.append(most)
            sealing.seal(conn, str(sealed))
        log = open_sealed_log(sealed)

        assert by_files(log, part, keys, Path(folder)) == folded(streams)
        assert by_rows(log, part, keys) == folded(streams)
        position = round(share * log.position)
        earlier = rebuild_into(database, "earlier", CONTEXTS, Limits(position), workers=1)
        assert by_rows(log.up_to(position), part, keys) == {c: dict(of.tables) for c, of in earlier.items()}


def by_files(log: SealedLog, events_a_part: int, keys: KeysOfDatabase, folder: Path) -> Digests:
    """The digests that are told of files, which have so many rows."""
    found = members()
    with keys.opened() as keys_of:
        for part in parts_of(log, CONTEXTS, "0123abcd", events_a_part=events_a_part):
            done = fold_range(log, part, folder, keys_of)
            for name, table in done.tables.items():
                found[part.context][name] += table.digest
                assert table.digest.rows == rows_in(folder, table)
    return found


def by_rows(log: SealedLog, events_a_part: int, keys: KeysOfDatabase) -> Digests:
    """The digests of rows that no file holds."""
    found = members()
    with keys.opened() as keys_of:
        for part in parts_of(log, CONTEXTS, "0123abcd", events_a_part=events_a_part):
            for table, batch, digest in fold_rows(log, part, keys_of):
                assert batch.num_rows == digest.rows
                found[part.context][table] += digest
    return found


def members() -> Digests:
    """Those of the rows that no stream makes."""
    return {
        context: {
            table.name: digest_of(lines_of(line_writer(table).columns(projection.unknown_members.get(table.name, ()))))
            for table in projection.tables
        }
        for context, projection in PROJECTIONS.items()
    }


def rows_in(folder: Path, table: FoldedTable) -> int:
    return sum(pq.read_table(folder / file.name).num_rows for file in table.files)
