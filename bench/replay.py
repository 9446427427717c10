"""The rows about replay as rollback and audit: verify, compare, look back, retract; each has a module of its own."""

from collections.abc import Callable
from pathlib import Path

from bench import compare, live, moments, retraction, sealed, verify
from bench.memory import MEGABYTE
from bench.report import Report, Row
from bench.rows import note_seconds, time_row
from bench.warehouse import Warehouse

MOST_OF_READING = 2
MOST_OF_JOINING = 1.5
MOST_OF_A_SMALLER_LOG = 1.5
MOST_OF_FOLDING = 0.25
LONGEST_DELAY_S = 0.5


class Replay:
    """Measures on warehouses that others have filled, and adds what it finds to a report."""

    def __init__(self, report: Report, tell: Callable[[str], None]) -> None:
        self._report = report
        self._tell = tell

    def verify(self, warehouse: Warehouse) -> None:
        """Recomputing every hash of the log, against reading it once."""
        self._tell("audit verify")
        ours = verify.verify(warehouse)
        self._tell("reading the log once by COPY")
        best = verify.read(warehouse)
        against = "binary COPY of the log"
        time_row(self._report, "audit verify", ours, against, best, MOST_OF_READING)
        note_seconds(self._report, against, best)

    def seal(self, warehouse: Warehouse, folder: Path) -> None:
        """Sealing the log, against copying it into files; and verifying it from the files, beside `audit verify`."""
        self._tell("log seal")
        ours = sealed.seal(warehouse, folder)
        self._tell("log verify")
        verified, audited = sealed.verify(warehouse, folder), verify.verify(warehouse)
        self._tell("copying the log into files")
        best = sealed.copy(warehouse, folder.with_name("copied"))
        against = "binary COPY of the log into files"
        self._report.rows.append(
            Row(
                "log seal: sorted, compressed, verified",
                str(ours),
                f"{against}: {best.timing} ({best.setting})",
                f"{ours.seconds / best.seconds:.1f} times its time",
                "",
                None,
            )
        )
        self._report.rows.append(
            Row(
                "log verify, from the files alone",
                f"{verified.seconds:.2f} s",
                f"audit verify: {audited}",
                f"{verified.seconds / audited.seconds:.2f} of its time",
                "",
                None,
            )
        )
        megabytes = sealed.size_of(folder) / MEGABYTE
        sealing, verifying = sealed.peaks(warehouse, folder)
        self._report.notes.append(
            f"log seal: {ours}, {megabytes:,.0f} MB of files; log verify: {verified}. Peak memory of the program "
            f"{sealing} and {verifying}, of the server {sealing.server / MEGABYTE:,.0f} MB while sealing."
        )
        note_seconds(self._report, against, best)

    def compare(self, warehouse: Warehouse) -> None:
        """What differs between two read models, against the joins that count it."""
        self._tell("an earlier read model")
        compare.prepare(warehouse)
        self._tell("audit compare")
        ours, told = compare.compare(warehouse)
        self._tell("full outer joins in SQL")
        best = compare.join(warehouse, told)
        against = "full outer joins in SQL"
        time_row(
            self._report,
            "audit compare of two read models (counts agree)",
            ours,
            against,
            best,
            MOST_OF_JOINING,
        )
        self._report.notes.append(f"audit compare: {compare.differing(told):,} rows differ.")
        note_seconds(self._report, against, best)

    def look_back(self, warehouse: Warehouse, extract: Path, orders: int, seed: int) -> None:
        """As of the end of the load before the last one, against folding all of the log up to there."""
        self._tell("as of the end of the load before the last one")
        found = moments.measure(warehouse, extract, orders, seed)
        folded, ours = found.folded.elapsed, found.taken_over.elapsed
        self._report.rows.append(
            Row(
                f"rebuild as of the load before the last, which had {found.loaded:,} events (digests agree)",
                str(ours),
                f"folding all of the log up to there: {folded}",
                f"{ours.seconds / folded.seconds:.2f} of its time",
                f"at most {MOST_OF_FOLDING}",
                ours.seconds <= MOST_OF_FOLDING * folded.seconds,
            )
        )
        self._report.notes.append(f"As of the load before the last: {found.taken_over}; all folded: {found.folded}.")

    def follow(self, warehouse: Warehouse) -> None:
        """How late rows are visible behind `project --follow`, at a steady rate, and the rate that it keeps up with."""
        self._tell("following the log")
        found = live.measure(warehouse)
        late, half, longest = found.percentile(0.99), found.percentile(0.5), found.delays[-1]
        self._report.rows.append(
            Row(
                f"append to visible, live, at {live.EVENTS_A_SECOND} events/s: 99th percentile",
                f"{1000 * late:.0f} ms",
                "",
                "",
                f"below {1000 * LONGEST_DELAY_S:.0f} ms",
                late < LONGEST_DELAY_S,
            )
        )
        self._report.rows.append(
            Row("events/s that live projection keeps up with", f"{found.sustained:,.0f} events/s", "", "", "", None)
        )
        self._report.notes.append(
            f"Append to visible, {len(found.delays):,} appends of {live.EVENTS_AN_ORDER} events: median "
            f"{1000 * half:.0f} ms, longest {1000 * longest:.0f} ms. What it keeps up with: events appended as fast as "
            "one process can, from the first append to the last row's being visible."
        )

    def retract(self, large: Warehouse, small: Warehouse, extract: Path, orders: int) -> None:
        """The same load taken back from a log of so many orders, and from a smaller one."""
        self._tell(f"retraction, on a log of {orders // retraction.SMALLER:,} orders")
        from_small = retraction.measure(small, extract)
        self._tell(f"retraction, on a log of {orders:,} orders")
        from_large = retraction.measure(large, extract)
        times = from_large.retraction.seconds / from_small.retraction.seconds
        share = max(1, orders // retraction.SHARE)
        self._report.rows.append(
            Row(
                f"retraction of a load of {share:,} orders from a log of {orders:,}, read models and all",
                str(from_large.retraction),
                f"the same from a log of {orders // retraction.SMALLER:,}: {from_small.retraction}",
                f"{times:.2f} times its time, at {retraction.SMALLER} times the log",
                f"at most {MOST_OF_A_SMALLER_LOG}",
                times <= MOST_OF_A_SMALLER_LOG,
            )
        )
        self._report.notes.append(
            f"The load that is taken back: {from_large.load}, {from_large.loaded:,} events, read models and all "
            f"(on the smaller log {from_small.load}); its retraction appends {from_large.appended:,}."
        )
