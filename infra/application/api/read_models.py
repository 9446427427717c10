"""Read models: the star schema is kept up with the log, made anew, compared, and read.

Each use case is imported when it is run: whoever asks for one need not wait for what the others import.
"""

from collections.abc import Iterable
from datetime import date, datetime
from operator import index
from os import PathLike, fspath
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.compare import CompareReport
    from replayhouse.infra.application.digest import DigestReport
    from replayhouse.infra.application.digest_in import DigestInReport
    from replayhouse.infra.application.export import ExportReport
    from replayhouse.infra.application.follow import FollowReport
    from replayhouse.infra.application.project import ProjectReport
    from replayhouse.infra.application.rebuild import RebuildReport
    from replayhouse.infra.application.rebuild_into import RebuildIntoReport
    from replayhouse.infra.application.replay import ReplayReport
    from replayhouse.infra.application.revisions import Dropped, Revisions
    from replayhouse.infra.application.table import Table
    from replayhouse.infra.read_models.rebuild.revert import Reverted
    from replayhouse.infra.replaying.replay import Engine
    from replayhouse.infra.runtime.telling import Warn


class ReadModels(Base):
    """The methods that have to do with read models. `contexts` are some of the contexts, or one; None for all."""

    def project(self, contexts: Iterable[str] | None = None, *, retry_parked: bool = False) -> "ProjectReport":
        """Catches the live read models up with the log.

        A stream that cannot be folded is parked and the others go on; `retry_parked` tries those parked before again.
        Raises NewerVersion or OtherVersion where a newer version of the program has written what is met.
        """
        from replayhouse.infra.application.project import project

        return self._do(project, contexts, retry_parked=retry_parked)

    def follow(
        self,
        contexts: Iterable[str] | None = None,
        stop: Event | None = None,
        *,
        retry_parked: bool = False,
        news: "Warn | None" = None,
    ) -> "FollowReport":
        """Stays, and keeps the live read models up with the log until `stop` is set, perhaps by another thread.

        Without `stop` it ends by KeyboardInterrupt alone. It waits for a database that goes away meanwhile. Contexts
        that a newer version of the program is at work on are left to that, and told in `stopped`. `news` takes which
        contexts are followed from here, as others may follow them too; by default `tell` does.
        """
        from replayhouse.infra.application.follow import follow

        return self._do(follow, contexts, stop or Event(), retry_parked=retry_parked, news=news)

    def project_to(
        self, to: str, contexts: Iterable[str] | None = None, *, retry_parked: bool = False
    ) -> "ProjectReport":
        """Catches the read models elsewhere up with the log: `to` is "clickhouse", where REPLAYHOUSE_CLICKHOUSE_URL is.

        What was never shown there is filled from the first event on. After an erasure this takes the person out of the
        files there. Raises UsageError, Unreachable, WrongServer, Conflicting while another command is at work there.
        """
        from replayhouse.infra.application.project_to import project_to

        return self._do(project_to, to, contexts, retry_parked=retry_parked)

    def follow_to(
        self,
        to: str,
        contexts: Iterable[str] | None = None,
        stop: Event | None = None,
        *,
        retry_parked: bool = False,
        news: "Warn | None" = None,
    ) -> "FollowReport":
        """Stays, and keeps the read models elsewhere up with the log until `stop` is set, as `follow` does.

        It waits for ClickHouse and for the database where they go away. Several may do so: one at a time is at work.
        """
        from replayhouse.infra.application.follow_to import follow_to

        return self._do(follow_to, to, contexts, stop or Event(), retry_parked=retry_parked, news=news)

    def rebuild_to(
        self,
        to: str,
        contexts: Iterable[str] | None = None,
        *,
        workers: int | None = None,
        withhold_personal: bool = False,
    ) -> "RebuildReport":
        """Folds everything again into new tables elsewhere (`to` is "clickhouse"), and swaps them in there.

        With `withhold_personal` without the personal fields; later catching up keeps to that. What is there is held
        against what was sent before it is shown. Raises Unfoldable where a stream cannot be folded, and the above.
        """
        from replayhouse.infra.application.rebuild_to import rebuild_to

        return self._do(rebuild_to, to, contexts, workers, withhold_personal=withhold_personal)

    def rebuild(
        self, contexts: Iterable[str] | None = None, *, workers: int | None = None, reason: str | None = None
    ) -> "RebuildReport":
        """Folds everything again beside the live tables, and swaps the new revisions in, all at once.

        `workers` processes share the work, by default those of the settings; `reason` is noted with the revisions.
        Raises Conflicting while another rebuild is at work, Unfoldable where a stream cannot be folded: the live
        tables are then as they were.
        """
        from replayhouse.infra.application.rebuild import rebuild

        return self._do(rebuild, contexts, workers, reason)

    def rebuild_rows(
        self,
        folder: str | PathLike[str],
        contexts: Iterable[str] | None = None,
        *,
        workers: int | None = None,
        reason: str | None = None,
    ) -> "RebuildReport":
        """Takes the rows that `replay` wrote to a folder as the next revisions, of all contexts that it holds.

        They are of this log at some position, with personal fields in clear; the tables are then brought up to the
        head and swapped in, as by `rebuild`. Raises InputError for rows that are of another log, withheld, changed or
        missing, ReplayhouseError where what stands in a table is not what the manifest tells; nothing is swapped then.
        """
        from replayhouse.infra.application.rebuild_rows import rebuild_rows

        return self._do(rebuild_rows, Path(folder), contexts, workers, reason)

    def rebuild_into(
        self,
        prefix: str,
        contexts: Iterable[str] | None = None,
        *,
        as_of: str | datetime | None = None,
        to_position: int | None = None,
        occurred_before: str | date | None = None,
        source: str | None = None,
        workers: int | None = None,
    ) -> "RebuildIntoReport":
        """Folds the log, as far as limits go, into the schemas PREFIX_sales, ..., PREFIX_shared and PREFIX_mart.

        The live tables are left alone; what stood under the prefix is replaced. `as_of`: what was known then, a
        recorded time with its offset from UTC. `to_position`: what was known up to there. `occurred_before`: what had
        happened by then, a business time, local to Brazil; of a date, up to the end of that day. `source`: what the
        loads of that source brought. Limits may be combined. Raises UsageError for times, positions, prefixes and
        sources that are none, Conflicting while another rebuild is at work, Unfoldable where a stream cannot be folded.
        """
        from replayhouse.infra.application.rebuild_into import rebuild_into

        return self._do(
            rebuild_into,
            prefix,
            contexts,
            as_of=as_of,
            to_position=None if to_position is None else int(index(to_position)),
            occurred_before=occurred_before,
            source=source,
            workers=workers,
        )

    def replay(
        self,
        log: str | PathLike[str],
        folder: str | PathLike[str],
        contexts: Iterable[str] | None = None,
        *,
        as_of: str | datetime | None = None,
        to_position: int | None = None,
        occurred_before: str | date | None = None,
        keys: str | PathLike[str] | None = None,
        workers: int | None = None,
        engine: "str | Engine" = "pool",
        master: str | None = None,
        force: bool = False,
    ) -> "ReplayReport":
        """Folds a sealed log into Parquet files of `folder`, with a manifest; needs no database, and opens none.

        Limits are those of `rebuild_into`. `keys` is the URL of the database with the keys of personal fields, or the
        file of keys of a backup; without, they are withheld. What `force` replaces is replaced as a whole. `engine`:
        "pool", so many `workers` as processes of this machine, or "spark", the executors of `master`; or whatever takes
        the parts (docs/spark.md has an example). Raises InputError
        where the log cannot be read, UsageError for limits and folders that make no sense, or where Spark is missing,
        Unfoldable, LostKeys, Unreachable where keys or a master cannot be reached, Conflicting while another one writes
        to the folder.
        """
        from replayhouse.infra.application.replay import replay

        return self._do(
            replay,
            fspath(log),
            Path(folder),
            contexts,
            as_of=as_of,
            to_position=None if to_position is None else int(index(to_position)),
            occurred_before=occurred_before,
            keys=None if keys is None else fspath(keys),
            workers=workers,
            engine=engine,
            master=master,
            force=force,
        )

    def digest(self, contexts: Iterable[str] | None = None) -> "DigestReport":
        """Digest and number of rows of each live table, as of one moment. The same log gives the same digests."""
        from replayhouse.infra.application.digest import digest

        return self._do(digest, contexts)

    def digest_in(self, place: str | PathLike[str], contexts: Iterable[str] | None = None) -> "DigestInReport":
        """The same of a folder that `export` wrote, recomputed there and held against what is noted of it.

        Or of the read models in ClickHouse, where `place` is "clickhouse": nothing is noted of those.

        `differing` names the tables that are not what they were. No database is needed. Raises UsageError for what is
        no such folder, InputError where a file cannot be read.
        """
        from replayhouse.infra.application.digest_in import digest_in

        return self._do(digest_in, fspath(place), contexts)

    def export(
        self,
        folder: str | PathLike[str],
        contexts: Iterable[str] | None = None,
        *,
        withhold_personal: bool = False,
        at: str | int | datetime | None = None,
        force: bool = False,
    ) -> "ExportReport":
        """Writes the read models into a folder: a Parquet file a table, `warehouse.duckdb`, and `manifest.json`.

        `at` is a moment: None or "live", a revision ("r3"), a prefix, a position of the log, a recorded time with its
        offset. `withhold_personal` leaves personal columns null. An export of the same is refreshed, where anything
        has changed; `force` replaces one of something else. Raises UsageError where the folder holds anything else,
        Conflicting where another command writes it.
        """
        from replayhouse.infra.application.export import export

        return self._do(export, Path(folder), contexts, withhold_personal=withhold_personal, at=at, force=force)

    def revisions(self, contexts: Iterable[str] | None = None) -> "Revisions":
        """The revisions of the read models, and what stands under prefixes."""
        from replayhouse.infra.application.revisions import revisions

        return self._do(revisions, contexts)

    def drop(self, prefix: str) -> "Dropped":
        """Removes the schemas of a prefix.

        Raises UsageError where nothing stands under it, Conflicting while views of others stand on its tables.
        """
        from replayhouse.infra.application.revisions import drop

        return self._do(drop, prefix)

    def revert(self, context: str, to: int | None = None) -> "Reverted":
        """Swaps an earlier revision of a read model in again: the one of that number, or the one that was live last.

        Raises UsageError where there is none that could be, Conflicting while a rebuild is at work.
        """
        from replayhouse.infra.application.revert import revert

        return self._do(revert, context, to)

    def compare(
        self,
        a: str | int | datetime,
        b: str | int | datetime,
        tables: Iterable[str] = (),
        *,
        limit: int = 5,
        csv: str | PathLike[str] | None = None,
        force: bool = False,
        with_position: bool = False,
        workers: int | None = None,
    ) -> "CompareReport":
        """Compares two read models: rows added, removed and changed from `a` to `b`, column by column.

        Each is "live", a revision ("r2", or "sales:r2"), a prefix, a position of the log, or a recorded time with its
        offset. `tables`: only these ("fact_order", or "sales.fact_order"). Counts are complete, and the first `limit`
        rows of each table are told; `csv` takes every difference, and `force` writes over what stands there. The
        column `position` is compared only `with_position`. Raises UsageError for what does not exist.
        """
        from replayhouse.infra.application.compare import compare

        return self._do(
            compare,
            a,
            b,
            tables,
            limit=limit,
            csv=None if csv is None else Path(csv),
            force=force,
            with_position=with_position,
            workers=workers,
        )

    def table(self, name: str) -> "Table":
        """A table or view of the star schema, read into memory as Arrow; `.pandas()` and `.polars()` make data frames.

        `name` is that of a live one ("sales.fact_order", "shared.dim_date", your own "mart.paid"), or of one under a
        prefix ("march_sales.fact_order"). Ids are strings, sums of money decimals; business times have no zone. Raises
        UsageError, which names the tables that there are, for any other.
        """
        from replayhouse.infra.application.table import table

        return self._do(table, name)
