"""Any streams, appended in any steps: live tables and rebuilt ones show what the folds of the whole streams say."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from replayhouse.domain.kernel.events import effective
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.read_models import windows
from replayhouse.infra.read_models.copy_text import line_writer
from replayhouse.infra.read_models.digests import ContextDigest, digests
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.workers import Rebuilt
from replayhouse.projections.digest import Digest, digest_of
from replayhouse.projections.projection import Row, Stream
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.histories import Histories, Steps, fresh_database, histories


def folded(everything: Histories) -> dict[str, dict[str, Digest]]:
    """The digests of the tables that the folds of these streams make, with the unknown members."""
    rows: dict[str, dict[str, list[Row]]] = {
        context: {table.name: list(p.unknown_members.get(table.name, ())) for table in p.tables}
        for context, p in PROJECTIONS.items()
    }
    for (context, stream), events in everything.items():
        for name, of_table in PROJECTIONS[context].fold(Stream(stream, 1, effective(events))).items():
            rows[context][name] += of_table
    return {
        context: {table.name: digest_of(line_writer(table).lines(rows[context][table.name])) for table in p.tables}
        for context, p in PROJECTIONS.items()
    }


# Not made smaller: each attempt takes a second.
@settings(max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(streams=histories(), steps=st.lists(st.integers(1, 4), max_size=3), window=st.integers(1, 12))
def test_live_folded_and_rebuilt_are_the_same(
    server: EmbeddedServer, streams: Histories, steps: Sequence[int], window: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, fresh_database(server) as database:
        patch.setattr(windows, "EVENTS_A_WINDOW", window)
        with database.connect(autocommit=True) as conn:
            appending = Steps(conn, streams)
            for most in (*steps, 99):
                appending.append(most)
                catch_up(database)
            assert tables(digests(database)) == folded(streams)
            assert tables(rebuild(database, workers=1)) == folded(streams)
            assert tables(digests(database)) == folded(streams)
            assert [found for query in POSITIONS for found in conn.execute(query.encode())] == []


def tables(found: Mapping[str, ContextDigest | Rebuilt]) -> dict[str, Mapping[str, Digest]]:
    return {context: of_context.tables for context, of_context in found.items()}


# Rows whose position is not that of an event of their context.
POSITIONS = [
    f"SELECT * FROM {context}.{table.name} WHERE position > 0 AND position NOT IN"
    f" (SELECT notification_id FROM event_store.{context}_events)"
    for context, projection in PROJECTIONS.items()
    for table in projection.tables
]
