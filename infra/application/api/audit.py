"""Audits: what the log says of one thing, what rows are made of, and whether anyone has tampered with it.

Each use case is imported when it is run: whoever asks for one need not wait for what the others import.
"""

from collections.abc import Sequence
from operator import index
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.checkpoint import CheckpointReport
    from replayhouse.infra.application.commits import Commits
    from replayhouse.infra.application.event import LoggedEvent
    from replayhouse.infra.application.find import Found
    from replayhouse.infra.application.history import History
    from replayhouse.infra.application.keygen import NewKey
    from replayhouse.infra.application.prove import ProveReport
    from replayhouse.infra.application.seal_log import SealReport
    from replayhouse.infra.application.thing import Thing
    from replayhouse.infra.application.verify import VerifyReport
    from replayhouse.infra.audit.lineage.marts import MartLineage
    from replayhouse.infra.audit.lineage.trace import RowLineage


class Audit(Base):
    """The methods that have to do with audits. `replayhouse.check_proof` needs no warehouse."""

    def history(self, kind: str, key: str | UUID) -> "History":
        """Every event of one thing, those that a retracted load brought as well (`is_rewound`).

        `kind` is order, shipment, customer, review, product, seller, batch or row; `key` its id in the source, or the
        first digits of it; of a load its name, too. Raises UsageError where there is none, or several may be meant.
        """
        from replayhouse.infra.application.history import history

        return self._do(history, kind, str(key))

    def id_of(self, kind: str, key: str, *, source: str | None = None, id_kind: str | None = None) -> UUID:
        """The id of the thing that its source calls by this key: an order by its number, a person by an address.

        `kind` is order, shipment, customer, review, product or seller. `source` is whose key it is, where several
        sources of the warehouse have it; `id_kind` the kind that its mapping gives `id(kind, key)`, where that is not
        order, review, product or seller. Raises UsageError where no source has the key, or several have it.
        """
        from replayhouse.infra.application.id_of import id_of

        return self._do(id_of, kind, key, source, id_kind)

    def find(self, text: str) -> "Found":
        """Everything that a text may mean: an id or how one begins, the key that a source calls an order, product or
        seller by, a line of a file (`orders:1042`, of a load by name `2018-03/orders:1042`), a position of the log, the
        name of a load, words of a question.
        """
        from replayhouse.infra.application.find import find

        return self._do(find, text)

    def thing(
        self,
        kind: str,
        key: str | UUID,
        *,
        at: str | int | None = None,
        occurred_before: str | None = None,
        order: str = "learnt",
        limit: int = 50,
        offset: int = 0,
        orders_from: int = 0,
    ) -> "Thing":
        """One thing as of a moment: its events, what each changed and the lines it came from, its rows, its neighbours.

        `kind` and `key` are those of `history`, `at` and `occurred_before` those of `ask`. `limit` events are told,
        from the one numbered `offset` on, in the order in which they were `learnt` or `happened`; of the orders that it
        has, those from `orders_from` on. Raises UsageError where there is no such thing or moment.
        """
        from replayhouse.infra.application.thing import thing

        limits = {"limit": limit, "offset": offset, "orders_from": orders_from}
        return self._do(thing, kind, str(key), at, occurred_before, order=order, **limits)

    def lineage(
        self,
        table: str,
        key: object,
        *,
        limit: int = 20,
        instead: str | PathLike[str] | None = None,
    ) -> "RowLineage | MartLineage":
        """What made a row: its events, what each did to it, and the lines of extracts that they came from.

        `table` may go without its schema. `key` is the primary key, a sequence of values where that has several
        columns; ids may be shortened. Of a mart it is the values of its first columns, and the rows behind are told.
        `limit`: so many lines of a file, and rows behind a mart's, at most. `instead` is where the extract is now, if
        not where it was loaded from. Raises UsageError where there is no such row.
        """
        from replayhouse.infra.application.lineage import lineage

        values = key if isinstance(key, Sequence) and not isinstance(key, str) else [key]
        return self._do(lineage, table, values, limit, None if instead is None else Path(instead))

    def row_key(
        self,
        table: str,
        own: Sequence[str],
        values: Sequence[str] = (),
        *,
        source: str | None = None,
        id_kind: str | None = None,
    ) -> list[str]:
        """The key of a row for `lineage`, where things are named by the keys `own` that they have in their source.

        They stand for the first ids of the key; `values` are the others, as the number of a line. `source` and
        `id_kind` are those of `id_of`. Raises UsageError as that does, and where the key has fewer ids.
        """
        from replayhouse.infra.application.lineage import row_key

        return self._do(row_key, table, values, own, source, id_kind)

    def commits(self, at: str | None = None, *, before: int | None = None, limit: int = 50) -> "Commits":
        """The head of the log, what its last verification found, and its commits, the newest first.

        `at`: those that a moment shows, which is a position, a recorded time, or the name of what stands. `before`:
        those that end before a position. `limit`: at most so many. Raises UsageError for what is no moment.
        """
        from replayhouse.infra.application.commits import commits

        return self._do(commits, at, before, limit)

    def event(self, position: int, at: str | None = None) -> "LoggedEvent":
        """One event of the log, with its path in its commit, recomputed from what the log holds now.

        `at`: a moment, which may not see it yet. Raises UsageError where there is no such position, Rejected where the
        log does not hold there.
        """
        from replayhouse.infra.application.event import event

        return self._do(event, int(index(position)), at)

    def verify(
        self,
        checkpoint: str | PathLike[str] | None = None,
        public_key: str | PathLike[str] | None = None,
        *,
        since_checkpoint: bool = False,
    ) -> "VerifyReport":
        """Recomputes the hash chain of the whole log; the report's `holds` says whether all is as it was recorded.

        `checkpoint` is a file kept elsewhere: the chain must be the one that was signed there, with `public_key` (64
        hexadecimal digits, or a file), or else with your own key. A checkpoint for which nobody vouches proves nothing:
        see the report's `signed.is_trusted`. `since_checkpoint` recomputes only what came after it. Raises Rejected
        where the checkpoint itself does not hold.
        """
        from replayhouse.infra.application.verify import verify

        kept, key = None if checkpoint is None else Path(checkpoint), None if public_key is None else fspath(public_key)
        return self._do(verify, kept, key, since_checkpoint=since_checkpoint)

    def seal_log(self, folder: str | PathLike[str]) -> "SealReport":
        """Writes what is not yet sealed of the log into a folder, or at a URL that fsspec knows, as Parquet segments.

        The same again writes what came since. Raises UsageError where the folder is of another store or another log,
        InputError where its manifest cannot be read, Conflicting while another command seals there, Rejected where the
        log does not hold: what was sealed before is unchanged then.
        """
        from replayhouse.infra.application.seal_log import seal_log

        return self._do(seal_log, fspath(folder))

    def verify_sealed(
        self,
        folder: str | PathLike[str],
        checkpoint: str | PathLike[str] | None = None,
        public_key: str | PathLike[str] | None = None,
    ) -> "VerifyReport":
        """Recomputes the hash chain of a sealed log from its files alone; needs no database.

        `checkpoint` and `public_key` are those of `verify`. Raises InputError where there is no sealed log in the
        folder, or one of a newer format, Rejected where the checkpoint itself does not hold.
        """
        from replayhouse.infra.application.verify_sealed import verify_sealed

        kept, key = None if checkpoint is None else Path(checkpoint), None if public_key is None else fspath(public_key)
        return self._do(verify_sealed, fspath(folder), kept, key)

    def keygen(self) -> "NewKey":
        """Makes the key that signs checkpoints, where the settings have it. Needs no database.

        A key that is there is never overwritten: UsageError.
        """
        from replayhouse.infra.application.keygen import keygen

        return self._do(keygen)

    def checkpoint(self, file: str | PathLike[str], *, force: bool = False) -> "CheckpointReport":
        """Writes the signed head of the chain, to be kept where those who write to the database cannot reach.

        `force` replaces a file that is there. Raises UsageError where there is no key to sign with.
        """
        from replayhouse.infra.application.checkpoint import checkpoint

        return self._do(checkpoint, Path(file), force=force)

    def prove(
        self,
        position: int,
        file: str | PathLike[str] | None = None,
        checkpoint: str | PathLike[str] | None = None,
        public_key: str | PathLike[str] | None = None,
        *,
        untrusted: bool = False,
        force: bool = False,
    ) -> "ProveReport":
        """The proof that the event at a position stands in the log, written to `file` if one is named.

        It leads up to `checkpoint`, or else to the head; up to one for which nobody vouches only where that is taken
        (`untrusted`). `force` replaces a file that is there. Raises Rejected where the log, or the checkpoint, does not
        hold, UsageError where there is no such position.
        """
        from replayhouse.infra.application.prove import prove

        to = None if file is None else Path(file)
        kept, key = None if checkpoint is None else Path(checkpoint), None if public_key is None else fspath(public_key)
        return self._do(prove, int(index(position)), to, kept, key, untrusted=untrusted, force=force)
