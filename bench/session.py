"""One run of the benchmarks: which measurement needs which warehouse, and the rows that come of their figures."""

import os
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

import psycopg

from bench import (
    answers,
    costs,
    exporting,
    large,
    peak_memory,
    publishing,
    raw_copy,
    retraction,
    sealed_replay,
    second_load,
    small_commands,
    sources,
    telemetry,
    web,
)
from bench.extracts import rows_of, sample_repeated
from bench.growth import Growth
from bench.machine import machine
from bench.memory import MEGABYTE
from bench.rebuilds import PROCESSES, Rebuilds
from bench.replay import Replay
from bench.report import Report, Row
from bench.rows import note_rates, note_seconds, rate_row, time_row
from bench.streaming import Streaming
from bench.timing import FIGURES, NotMeasured, Timing
from bench.warehouse import Finished, Warehouse

ON_A_FULL_LOG = (
    "save",
    "copy",
    "projection",
    "sql",
    "verify",
    "sealed",
    "compare",
    "answers",
    "second",
    "retract",
    "live",
    "moments",
    "replay",
    "export",
    "web",
)
PARTS = (*ON_A_FULL_LOG, "next-day", "memory", "costs", "sample")
"""What `--only` may name, and all of them where it is not given."""

BY_THEMSELVES = ("telemetry", "sources")
"""What `--only` may name besides: their figures are no rows of the table."""

OF_ENGINES = ("clickhouse", "spark")
"""What `--only` may name in the environment of the engines."""

MOST_OF_RAW_COPY = 3.5
TIMES_SAVE = 5
"""What an ingest is to reach: at most so many times the time of raw COPY, as many times the events/s of save()."""
SAMPLE_ORDERS = 4_100
COSTS_SHARE = 4
"""The look at costs takes an extract of a quarter of the size: shares do not depend on it."""


class Session:
    """Runs parts of the benchmarks on an extract of so many orders; what comes of it is gathered in `report`."""

    def __init__(self, scratch: Path, orders: int, seed: int, tell: Callable[[str], None]) -> None:
        self._scratch = scratch
        self._orders = orders
        self._seed = seed
        self._tell = tell
        self._extract = scratch / "extract"
        self.report = Report()
        self._replay = Replay(self.report, tell)
        self._rebuilds = Rebuilds(self.report, tell)

    def run(self, parts: Collection[str]) -> None:
        """Measures these parts. What cannot be measured is told as a failure, and the others go on."""
        with self._warehouse("main") as warehouse:
            with psycopg.connect(warehouse.url()) as connection:
                self.report.machine = [*machine(connection).lines, FIGURES]
            self._generate(warehouse)
            if {*ON_A_FULL_LOG, *OF_ENGINES} & set(parts):
                self._attempt("ingest and rebuild", lambda: self._on_a_full_log(warehouse, parts))
        separate = {
            "next-day": self._next_day,
            "memory": self._memory,
            "costs": self._costs,
            "sample": self._sample,
            "telemetry": self._telemetry,
            "sources": self._sources,
        }
        for part, measure in separate.items():
            if part in parts:
                self._attempt(part, measure)
        self.report.notes.append(f"The load average was {os.getloadavg()[0]:.1f} when all had been measured.")

    def run_large(self, times: int) -> None:
        """Memory, and what commands take of the processors, on this size and on so many times of it."""
        found: dict[int, dict[str, large.Cost]] = {}
        for orders in (self._orders, self._orders * times):
            folder = self._scratch / f"{orders}-orders"
            with self._warehouse(f"{orders}-orders/home") as warehouse:
                with psycopg.connect(warehouse.url()) as connection:
                    self.report.machine = self.report.machine or machine(connection).lines
                self._tell(f"generating {orders:,} orders")
                warehouse.run("generate", folder / "extract", "--orders", str(orders), "--seed", str(self._seed))
                found[orders] = large.measure(warehouse, folder, self._tell)
        self.report.rows.extend(large.rows(*found.values()))

    def run_growth(self, times: Sequence[float]) -> None:
        """Commands at so many times this size, each."""
        sizes = sorted({max(1, round(self._orders * factor)) for factor in times})
        with self._warehouse("main") as warehouse, psycopg.connect(warehouse.url()) as connection:
            self.report.machine = machine(connection).lines
        growth = Growth(self._scratch / "growth", self._seed, self._tell)
        self._attempt("growth", lambda: growth.measure(sizes, self.report))

    def run_small(self) -> None:
        """The rows about small commands, in a warehouse of a few orders."""
        with self._warehouse("small-commands") as warehouse:
            with psycopg.connect(warehouse.url()) as connection:
                self.report.machine = machine(connection).lines
            self._tell("status, batches and small loads")
            folder = self._scratch / "small-loads"
            folder.mkdir()
            for what, measure in (("small commands", small_commands.measure), ("small loads", small_commands.loads)):
                self._attempt(what, partial(self._add_rows, partial(measure, warehouse, folder, self._seed)))

    def run_kafka(self) -> None:
        """The rows about Kafka, on a full log and a broker of its own."""
        with self._warehouse("main") as warehouse:
            with psycopg.connect(warehouse.url()) as connection:
                self.report.machine = machine(connection).lines
            self._generate(warehouse)
            self._tell("ingest")
            ingest = warehouse.timed("ingest", self._extract, "--no-project")
            with publishing.broker(warehouse) as bootstrap:
                streaming = Streaming(self.report, self._tell, warehouse, bootstrap)
                self._attempt("publish", lambda: streaming.relay(sum(ingest.document["events"].values())))
                self._attempt("memory of publish", streaming.memory)
                self._attempt("publish --follow", streaming.follow)
                self._attempt("consumer kit", streaming.kit)

    # --- what is measured ---------------------------------------------------------------------------------------

    def _on_a_full_log(self, warehouse: Warehouse, parts: Collection[str]) -> None:
        self._tell("ingest")
        ingest = warehouse.timed("ingest", self._extract, "--no-project")
        events = sum(ingest.document["events"].values())
        self.report.notes.append(
            f"Ingest of {rows_of(self._extract):,} CSV rows ({self._orders:,} orders, made by the generator): "
            f"{ingest.seconds:.2f} s, {events:,} events, {events / ingest.seconds:,.0f} events/s."
        )
        if "save" in parts:
            self._attempt("Application.save()", lambda: self._save(warehouse, events / ingest.seconds))
        if "copy" in parts:
            self._attempt("raw COPY", lambda: self._copy(warehouse, ingest))
        if {"projection", "sql"} & set(parts):
            self._measure_rebuilds(warehouse, parts, events)
        if "verify" in parts:
            self._attempt("audit verify", lambda: self._replay.verify(warehouse))
        if "sealed" in parts:
            self._attempt("log seal", lambda: self._replay.seal(warehouse, self._scratch / "sealed"))
        if "compare" in parts:
            self._attempt("audit compare", lambda: self._replay.compare(warehouse))
        if "answers" in parts:
            self._attempt("answers", lambda: self._answers(warehouse))
        if "second" in parts:
            self._attempt("second load", lambda: self._second_load(warehouse, ingest))
        if "retract" in parts:
            self._attempt("retract", lambda: self._retract(warehouse))
        if "live" in parts:
            self._attempt("live", lambda: self._replay.follow(warehouse))
        if "moments" in parts:
            self._attempt("moments", lambda: self._look_back(warehouse))
        if "replay" in parts:
            self._attempt("replay of a sealed log", lambda: self._replay_sealed(warehouse))
        if "export" in parts:
            self._attempt("export", lambda: self._export(warehouse))
        if "web" in parts:
            self._attempt("web", lambda: self._browse(warehouse))
        if "clickhouse" in parts:
            self._attempt("clickhouse", lambda: self._fill_clickhouse(warehouse))
        if "spark" in parts:
            self._attempt("replay by Spark", lambda: self._replay_by_spark(warehouse))

    def _measure_rebuilds(self, warehouse: Warehouse, parts: Collection[str], events: int) -> None:
        """Rebuilds, and both baselines once for all of them."""
        timings = self._rebuilds.measure(warehouse)
        for (source, workers), timing in timings.items():
            rate = events / timing.seconds
            self.report.notes.append(f"Rebuild {source}, processes: {workers}: {timing}, {rate:,.0f} events/s.")
        if "projection" in parts:
            self._attempt("ProjectionRunner", lambda: self._rebuilds.against_the_runner(warehouse, timings, events))
        if "sql" in parts:
            self._attempt("plain SQL", lambda: self._rebuilds.against_plain_sql(warehouse, self._extract, timings))

    def _save(self, warehouse: Warehouse, ours: float) -> None:
        self._tell("Application.save() of the library")
        from bench import library_save  # the library's recorder needs psycopg_pool: without it, this row alone is lost

        best, saved = library_save.measure(warehouse)
        against = "Application.save()"
        rate_row(self.report, "ingest: CSV rows to durable events", ours, against, best, saved, TIMES_SAVE)
        note_rates(self.report, against, best, saved)

    def _copy(self, warehouse: Warehouse, ingest: Finished, only: str | None = None) -> None:
        self._tell("raw COPY of the same events")
        best = raw_copy.measure(warehouse, self._scratch / f"raw-{warehouse.home.name}", only)
        what = "ingest" if only is None else "ingest of the repeated sample"
        time_row(self.report, what, Timing((ingest.seconds,)), "raw COPY", best, MOST_OF_RAW_COPY)
        note_seconds(self.report, "raw COPY", best)

    def _answers(self, warehouse: Warehouse) -> None:
        self._tell("answers to the hundred questions")
        warehouse.run("project")
        answers.measure(warehouse, self._extract, self.report)

    def _look_back(self, warehouse: Warehouse) -> None:
        self._replay.look_back(warehouse, self._scratch / "last-load", self._orders, self._seed)

    def _replay_sealed(self, warehouse: Warehouse) -> None:
        self._tell("replay of the sealed log")
        sealed_replay.measure(warehouse, self._scratch, (1, PROCESSES), self.report)

    def _export(self, warehouse: Warehouse) -> None:
        self._tell("export as files")
        warehouse.run("project")
        exporting.measure(warehouse, self._scratch / "export", self.report)

    def _browse(self, warehouse: Warehouse) -> None:
        self._tell("pages in the browser")
        warehouse.run("project")
        web.measure(warehouse, self.report)

    def _fill_clickhouse(self, warehouse: Warehouse) -> None:
        self._tell("rebuild --to clickhouse")
        from bench import clickhouse  # its engine stands in an environment of its own

        warehouse.run("project")
        clickhouse.measure(warehouse, self._scratch / "clickhouse", self.report)

    def _replay_by_spark(self, warehouse: Warehouse) -> None:
        self._tell("replay --engine spark")
        from bench import spark  # as above

        spark.measure(warehouse, self._scratch, self.report)

    def _retract(self, large: Warehouse) -> None:
        extract, smaller = self._scratch / "load", self._orders // retraction.SMALLER
        retraction.generate(large, extract, self._orders, self._seed)
        with self._warehouse("smaller") as small:
            small.run(
                "generate", self._scratch / "smaller-extract", "--orders", str(smaller), "--seed", str(self._seed)
            )
            small.run("ingest", self._scratch / "smaller-extract")
            self._replay.retract(large, small, extract, self._orders)

    def _second_load(self, warehouse: Warehouse, first: Finished) -> None:
        self._tell("the same extract again")
        again = second_load.same_again(warehouse, self._extract)
        self.report.rows.append(
            Row(
                "second load of the same extract",
                str(again),
                f"the first: {first.seconds:.2f} s",
                f"{again.seconds / first.seconds:.3f} of its time",
                "a fifth",
                again.seconds <= first.seconds / 5,
            )
        )

    def _next_day(self) -> None:
        self._tell("the extract of the next day")
        with self._warehouse("next-day") as warehouse:
            found = second_load.next_day(warehouse, self._scratch, self._orders, self._seed)
        events = sum(found.second.document["events"].values())
        self.report.rows.append(
            Row(
                "extract of the next day, read models and all",
                f"{found.second.seconds:.2f} s, {events:,} events",
                f"the day before, into an empty warehouse: {found.first.seconds:.2f} s",
                f"{found.second.seconds / found.first.seconds:.2f} of its time",
                "",
                None,
            )
        )
        first, later = found.marts
        self.report.rows.append(
            Row(
                "all marts after a load of one day",
                f"{later:.2f} s",
                f"their first making: {first:.2f} s",
                f"{later / first:.2f} of its time",
                "at most 0.25",
                later <= first / 4,
            )
        )
        self.report.notes.append("Marts are made whole, and exchanged: docs/decisions/0033 says why.")

    def _memory(self) -> None:
        with self._warehouse("memory") as warehouse:
            self._memory_row(warehouse)

    def _memory_row(self, warehouse: Warehouse) -> None:
        self._tell("peak memory")
        watched = peak_memory.measure(warehouse, self._extract)
        ingest, rebuild = watched.ingest_peak, watched.rebuild_peak
        self.report.rows.append(
            Row(
                f"peak memory of ingest and rebuild, all processes, {self._orders:,} orders",
                f"{ingest} and {rebuild}",
                "",
                "",
                "under 1 GB",
                watched.is_within_limit,
            )
        )
        for command, peak, finished in (
            ("ingest", ingest, watched.ingest),
            ("rebuild", rebuild, watched.rebuild),
        ):
            self.report.notes.append(
                f"Memory of {command}, {self._orders:,} orders: {peak.processes} processes, {peak}; counting shared "
                f"pages once for each process {peak.resident / MEGABYTE:,.0f} MB; the server beside it "
                f"{peak.server / MEGABYTE:,.0f} MB. While being watched it took {finished.seconds:.1f} s."
            )

    def _costs(self) -> None:
        self._tell("where the time goes")
        with self._warehouse("costs") as warehouse:
            found = costs.measure(warehouse, self._scratch, max(1, self._orders // COSTS_SHARE), self._seed)
        size = f"{found.orders:,} orders, one process"
        self.report.costs[f"ingest, {size}"] = found.ingest
        self.report.costs[f"rebuild, {size}"] = found.rebuild

    def _telemetry(self) -> None:
        self._tell("loads and rebuilds with log lines and a trace, and without")
        with self._warehouse("telemetry") as warehouse:
            for command, used in telemetry.measure(warehouse, self._extract).items():
                self.report.notes.append(f"Processor time of {command}, {self._orders:,} orders: {used}.")

    def _sources(self) -> None:
        folder = self._scratch / "sources"
        folder.mkdir()
        sources.measure(folder, self._extract, self.report, self._tell)

    def _sample(self) -> None:
        times = max(1, self._orders // SAMPLE_ORDERS)
        extract = sample_repeated(self._scratch / "sample", times)
        if extract is None:
            self.report.notes.append("The real sample is not at hand: REPLAYHOUSE_SAMPLE names its folder.")
            return
        self._tell(f"the sample {times} times over")
        with self._warehouse("sample") as warehouse:
            ingest = warehouse.timed("ingest", extract, "--no-project")
            events = sum(ingest.document["events"].values())
            self.report.notes.append(
                f"The real sample {times} times over with changed ids: {rows_of(extract):,} CSV rows, "
                f"{events:,} events, ingest {ingest.seconds:.2f} s."
            )
            self._copy(warehouse, ingest, only="sorted by stream, 2 connections")
            self._rebuilds.against_plain_sql(
                warehouse,
                extract,
                self._rebuilds.once(warehouse),
                " of the repeated sample",
                only="typed columns, 2 connections",
            )

    # --- how ----------------------------------------------------------------------------------------------------

    def _warehouse(self, name: str) -> Warehouse:
        return Warehouse(self._scratch / name)

    def _generate(self, warehouse: Warehouse) -> None:
        self._tell(f"generating {self._orders:,} orders")
        warehouse.run("generate", self._extract, "--orders", str(self._orders), "--seed", str(self._seed))

    def _add_rows(self, measure: Callable[[], list[Row]]) -> None:
        self.report.rows.extend(measure())

    def _attempt(self, what: str, measure: Callable[[], None]) -> None:
        try:
            measure()
        except (NotMeasured, ImportError, psycopg.Error) as error:
            self.report.failures.append(f"{what}: {error}")
