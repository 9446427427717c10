"""Following the log: the streams that new events touched are folded again, and the rows that differ are written.

The windows, the folds and the rule for streams that cannot be folded are those of the live read models; how an event
counts exactly once is told in `position`.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import partial
from uuid import UUID

import msgspec
import psycopg

from replayhouse.infra.clickhouse import position, tables
from replayhouse.infra.clickhouse.calendar import keep_calendar
from replayhouse.infra.clickhouse.filling import Filler
from replayhouse.infra.clickhouse.position import Parked, Position, Window
from replayhouse.infra.clickhouse.server import Server
from replayhouse.infra.clickhouse.writing import remove_streams, write_anew, write_changes
from replayhouse.infra.event_store.keys import read_keys
from replayhouse.infra.privacy import copies
from replayhouse.infra.privacy.copies import Copy
from replayhouse.infra.read_models import refolding
from replayhouse.infra.read_models.calendar import may_move
from replayhouse.infra.read_models.rebuild.workers import Rebuilt
from replayhouse.infra.read_models.schema import Model, model_of
from replayhouse.infra.read_models.stream_reader import StreamReader
from replayhouse.infra.read_models.stream_source import Source
from replayhouse.infra.read_models.upsert import encode
from replayhouse.infra.read_models.windows import EVENTS_A_WINDOW, fold_touched, head_of, window_after
from replayhouse.infra.runtime.errors import WrongServer
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.projections.projection import personal_columns
from replayhouse.projections.warehouse import PERSONAL_CONTEXTS, PROJECTIONS


class Keeper:
    """Keeps contexts in ClickHouse up with the log, on connections that it has for itself. It holds the lock.

    `known` is what is told there of each context that was ever shown. `is_withheld` is what becomes of personal fields
    in tables that are filled anew; None: what they stand as, in clear at first.
    """

    def __init__(
        self,
        conn: psycopg.Connection,
        server: Server,
        filler: Filler,
        contexts: Collection[str],
        *,
        is_withheld: bool | None = None,
    ) -> None:
        self._conn = conn
        self._server = server
        self._filler = filler
        self._contexts = contexts
        self._is_withheld = is_withheld
        self._noted: int | None = None
        self._moves_calendar = True  # a killed command may have got no further than the rows
        self._end: date | None = None
        self._is_recognised = False
        self.known = position.read(server)
        tables.remove_unfinished(server)

    def rebuild(self) -> dict[str, Rebuilt]:
        """Fills all contexts anew, and brings them up to the head; what came of each. Raises as `fill` does."""
        position.refuse_another_store(self._conn, self._server, self.known)
        self._recognise()
        rebuilt = self._fill(self._contexts)
        self.catch_up()  # with what was appended, and who was erased, meanwhile
        return rebuilt

    def catch_up(self, *, retry_parked: bool = False) -> dict[str, int]:
        """Brings all contexts up to the head of the log as it is now; how many events of each context that took.

        Those that were never shown, or by an earlier program, are filled anew. Raises OfAnotherLog where the rows are
        not of this log, WrongServer where a newer program has made the tables, and as `fill` does.
        """
        position.refuse_another_log(self._conn, self._server, self.known)
        self._recognise()
        head, newest = self._newest()
        events = dict.fromkeys(self._contexts, 0)
        for context, rebuilt in self._fill(context for context in self._contexts if self._must_fill(context)).items():
            events[context] += rebuilt.events
        for context in self._contexts:
            if retry_parked and self.known[context].parked:
                events[context] += self._advance(context, head, retry_parked=True) or 0
            while (done := self._advance(context, head)) is not None:
                events[context] += done
        self._complete(head, newest)
        for context in (context for context in self._contexts if events[context]):
            happened(Happening.CLICKHOUSE_CAUGHT_UP, context=context, position=head, events=events[context])
        return events

    def _recognise(self) -> None:
        """Notes what is there, before anything is written; what this database has not noted is to be filled anew.

        That database was restored from a backup, and does not know of whom the rows there still tell.
        """
        if self._is_recognised:
            return
        here = self._copy(head_of(self._conn), self.known)
        if here.is_in_clear and not copies.is_noted(self._conn, here):
            for context, told in self.known.items():
                if _is_clear(context, told):
                    strange = msgspec.structs.replace(told, must_be_filled=True)
                    self.known[context] = position.write(self._server, context, strange)
        if self.known:
            copies.note_coming(self._conn, here)
        self._is_recognised = True

    def is_behind(self) -> bool:
        """Whether there is anything to do."""
        head, newest = self._newest()
        return any(
            (known := self.known[context]).position < head or known.refolds < newest for context in self._contexts
        )

    def _newest(self) -> tuple[int, int]:
        """The position of the newest event, and then the number of the newest stream whose key was destroyed."""
        head = head_of(self._conn)
        return head, refolding.newest(self._conn)

    def _must_fill(self, context: str) -> bool:
        known = self.known.get(context)
        if known is not None and known.is_newer(context):
            raise WrongServer(
                f"{context} at {self._server.address.place} was made by a newer version of this program: use that one. "
                "To go back for good: replayhouse rebuild --to clickhouse."
            )
        return known is None or not known.is_current(context)

    def _fill(self, contexts: Iterable[str]) -> dict[str, Rebuilt]:
        wanted = list(contexts)
        if not wanted:
            return {}
        rebuilt: dict[str, Rebuilt] = {}
        for is_withheld in (False, True):
            if some := [context for context in wanted if self._withholds(context) is is_withheld]:
                head, newest = self._newest()
                copies.note_coming(self._conn, self._copy(head, some, are_clear=not is_withheld))
                filled = self._filler.fill(self.known, some, is_withheld=is_withheld)
                self.known.update({context: told for context, (told, _) in filled.items()})
                self._moves_calendar = True
                self._complete(head, newest)
                rebuilt |= {context: of_context for context, (_, of_context) in filled.items()}
        return {context: rebuilt[context] for context in wanted}

    def _withholds(self, context: str) -> bool:
        """Whether a context is to be filled without personal fields: as is said, as it stood, or as others stand."""
        if self._is_withheld is not None:
            return self._is_withheld
        if context in self.known:
            return self.known[context].is_withheld
        return any(told.is_withheld for told in self.known.values())

    def _complete(self, head: int, newest: int) -> None:
        """What follows from the rows of all contexts: the calendar, and the note that they show nobody erased.

        Nobody who was erased before `head`, as far as keys were destroyed up to the number `newest`.
        """
        if self._moves_calendar:
            current = [context for context, told in self.known.items() if told.is_current(context)]
            self._end = keep_calendar(self._conn, self._server, current)
            self._moves_calendar = False
        clear = [(context, told) for context, told in self.known.items() if _is_clear(context, told)]
        is_forgotten = all(told.is_current(context) and told.refolds >= newest for context, told in clear)
        if is_forgotten and self._noted != newest:
            copies.note(self._conn, self._copy(head, self.known))
            self._noted = newest

    def _copy(self, head: int, contexts: Iterable[str], *, are_clear: bool | None = None) -> Copy:
        """What is noted of these contexts: as it is said, or as they stand, with personal fields in clear or not."""
        named = [context for context in PROJECTIONS if context in set(contexts)]
        if are_clear is None:
            are_clear = any(not self.known[context].is_withheld for context in named if context in PERSONAL_CONTEXTS)
        is_clear = are_clear and any(context in PERSONAL_CONTEXTS for context in named)
        return Copy("clickhouse", "", self._server.address.place, named, is_clear, head)

    def _advance(self, context: str, head: int, *, retry_parked: bool = False) -> int | None:
        """Writes the next window, up to `head` at most; how many events that took, None if there is nothing to do."""
        known, events = self.known[context], 0
        if known.writing is None:
            newest = refolding.newest(self._conn)
            events, end = window_after(self._conn, context, known.position, head, EVENTS_A_WINDOW)
            window = Window(end if events == EVENTS_A_WINDOW else max(head, known.position), newest, retry_parked)
            if not (events or retry_parked or refolding.asked_since(self._conn, context, known.refolds)):
                if (window.up_to, newest) != (known.position, known.refolds):
                    self.known[context] = self._told(context, known, window, known.parked)
                return None
            known = position.write(self._server, context, msgspec.structs.replace(known, writing=window))
            self.known[context] = known
        assert known.writing is not None
        step = _Step(self._conn, self._server, context, known, known.writing, self._end)
        self._moves_calendar |= step.moves_calendar
        self.known[context] = self._told(context, known, known.writing, step.parked)
        return events

    def _told(self, context: str, known: Position, window: Window, parked: Mapping[str, Parked]) -> Position:
        following = msgspec.structs.replace(
            known,
            position=window.up_to,
            refolds=window.refolds_to,
            store=position.store_of(self._conn),
            chain=position.chain_at(self._conn, window.up_to),
            parked=dict(parked),
            writing=None,
        )
        return position.write(self._server, context, following)


class _Step:
    """The writing of one window of a context, which is told to be under way: done again, it writes the same.

    `parked` are the streams that are so then; `moves_calendar` says whether a calendar with that end may be another.
    """

    def __init__(
        self,
        conn: psycopg.Connection,
        server: Server,
        context: str,
        known: Position,
        window: Window,
        calendar_end: date | None,
    ) -> None:
        self._conn = conn
        self._server = server
        self._context = context
        self._model: Model = model_of(context, context)
        self._known = known
        self._window = window
        self._end = calendar_end
        self.parked = dict(known.parked)
        self.moves_calendar = False
        self._write()

    def _write(self) -> None:
        self._write_touched()
        if self._window.retries_parked:
            self._retry()
        if not self._known.is_withheld and (
            asked := refolding.asked_since(self._conn, self._context, self._known.refolds)
        ):
            self._forget(asked)

    def _write_touched(self) -> None:
        """What the new events touched. A stream that cannot be folded keeps its rows, and is parked."""
        known, end = self._known, self._window.up_to
        reader = StreamReader(None if known.is_withheld else partial(read_keys, self._conn))
        with self._conn.transaction():
            window, lines = fold_touched(self._conn, reader, self._model, known.position, end, known.folded_to)
        write_changes(self._server, self._context, lines, known.step)
        folded = window.folded.values()
        before, after = (f.before for f in folded), (f.after for f in folded)
        self.moves_calendar = may_move(self._conn, self._end, self._context, before, after)
        for stream in window.folded:
            self.parked.pop(str(stream), None)
        for parked in window.parked:
            self._park(parked.stream_id, parked.folded_to, parked.error)

    def _retry(self) -> None:
        """Streams that are parked, as of the end of the window; those that cannot be folded stay as they are."""
        streams = [UUID(stream) for stream in self.parked]
        again = self._fold_again(streams, self._window.up_to)
        self._write_again([one for one in again if one.failed is None])

    def _forget(self, streams: Collection[UUID]) -> None:
        """Streams of which a key was destroyed: they lose what it sealed, and files that may hold that go.

        Those that are parked stay as of their positions; where one cannot be folded any more, its rows go.
        """
        earlier = {stream: self.parked[str(stream)].folded_to for stream in streams if str(stream) in self.parked}
        again = self._fold_again([stream for stream in streams if stream not in earlier], self._window.up_to)
        for stream, folded_to in earlier.items():  # what came after may be what nobody can read
            again += self._fold_again([stream], folded_to)
        self._write_again(again, still_parked=earlier.keys())
        for table in self._model.projection.tables:
            if personal_columns(table):
                write_anew(self._server, table)

    def _fold_again(self, streams: Collection[UUID], up_to: int) -> list[refolding.Again]:
        source = Source(are_withheld=self._known.is_withheld)
        return refolding.fold_again(self._conn, self._model, streams, up_to, source=source) if streams else []

    def _write_again(self, again: Collection[refolding.Again], still_parked: Collection[UUID] = ()) -> None:
        step = self._known.step
        self.moves_calendar = True
        remove_streams(self._server, self._context, [at for one in again for at in one.positions], step)
        write_changes(self._server, self._context, encode(self._model, [one.changes for one in again]), step)
        for one in again:
            if one.failed is not None:
                self._park(one.stream_id, 0, one.failed.error)
            elif one.stream_id not in still_parked:
                self.parked.pop(str(one.stream_id), None)

    def _park(self, stream: UUID, folded_to: int, error: str) -> None:
        self.parked[str(stream)] = Parked(folded_to, error)


def _is_clear(context: str, told: Position) -> bool:
    """Whether personal fields of a context stand there in clear."""
    return context in PERSONAL_CONTEXTS and not told.is_withheld
