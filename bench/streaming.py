"""The rows about Kafka: the relay and the consumer kit, each against the client's own way; how late messages arrive."""

from collections.abc import Callable

from bench import consumer_kit, live, publishing, verify
from bench.memory import MEGABYTE
from bench.report import Report, Row
from bench.rows import note_rates, note_seconds, rate_row
from bench.warehouse import Warehouse

TIMES_ONE_BY_ONE = 2
LEAST_OF_PLAIN_PRODUCER = 0.6
LEAST_OF_BARE_CONSUMER = 0.5
LONGEST_DELAY_S = 1.0
MOST_MEMORY = 500 * MEGABYTE


class Streaming:
    """Measures on a warehouse with a full log and a broker of its own, and adds what it finds to a report."""

    def __init__(self, report: Report, tell: Callable[[str], None], warehouse: Warehouse, bootstrap: str) -> None:
        self._report = report
        self._tell = tell
        self._warehouse = warehouse
        self._bootstrap = bootstrap

    def relay(self, events: int) -> None:
        """The whole log onto Kafka, against a producer without transactions, and against reading the log."""
        self._tell("publish")
        ours = publishing.publish(self._warehouse)
        self._tell("publishing one by one")
        alone, published = publishing.one_by_one(self._warehouse, self._bootstrap)
        against = "one by one, exactly once too"
        what = f"publish: {events:,} events onto Kafka, exactly once"
        rate_row(self._report, what, events / ours.seconds, against, alone, published, TIMES_ONE_BY_ONE)
        note_rates(self._report, against, alone, published)
        self._tell("kafka-python's producer")
        sent = publishing.messages(self._bootstrap, "bench1.sales.events.v1")
        best = publishing.plain_producer(self._bootstrap, sent)
        against = "kafka-python's producer, no transactions"
        self._share(
            "publish",
            events / ours.seconds,
            against,
            len(sent) / best.seconds,
            best.setting,
            LEAST_OF_PLAIN_PRODUCER,
        )
        self._report.notes.append(f"publish, from its start to its end: {ours}.")
        note_rates(self._report, against, best, len(sent))
        self._tell("reading the log once by COPY")
        read = verify.read(self._warehouse)
        self._report.rows.append(
            Row(
                "publish",
                str(ours),
                f"binary COPY of the log: {read.timing} ({read.setting})",
                f"{ours.seconds / read.seconds:.1f} times its time",
                "",
                None,
            )
        )
        note_seconds(self._report, "binary COPY of the log", read)

    def memory(self) -> None:
        """What the relay needs with the whole log as its backlog."""
        self._tell("publish, its memory")
        finished, peak = publishing.watched(self._warehouse)
        self._report.rows.append(
            Row(
                "peak memory of publish, the whole log waiting", str(peak), "", "", "500 MB", peak.program < MOST_MEMORY
            )
        )
        self._report.notes.append(f"While its memory was watched, publish took {finished.seconds:.1f} s.")

    def follow(self) -> None:
        """How late a consumer receives what is appended at a steady rate."""
        self._tell("publish --follow, and a consumer")
        found = publishing.follow(self._warehouse, self._bootstrap)
        late = found.percentile(0.99)
        self._report.rows.append(
            Row(
                f"append to received by a consumer, at {live.EVENTS_A_SECOND} events/s: 99th percentile",
                f"{1000 * late:.0f} ms",
                "",
                "",
                f"below {1000 * LONGEST_DELAY_S:.0f} ms",
                late < LONGEST_DELAY_S,
            )
        )
        self._report.notes.append(
            f"Append to received: median {1000 * found.percentile(0.5):.0f} ms, longest "
            f"{1000 * found.delays[-1]:.0f} ms; appended at once, {found.sustained:,.0f} events/s arrive."
        )

    def kit(self) -> None:
        """The consumer kit, against the bare consumer that it is made of."""
        self._tell("the consumer kit")
        found = consumer_kit.measure()
        for handler, ours in (("events of one type", found.on_events), ("whole streams", found.on_streams)):
            self._share(
                f"consumer kit, a handler of {handler} that does nothing",
                found.messages / ours.seconds,
                "bare KafkaConsumer",
                found.messages / found.bare.seconds,
                f"{found.messages:,} messages, left as bytes",
                LEAST_OF_BARE_CONSUMER,
            )
        self._report.notes.append(
            f"Seconds of the bare consumer {found.bare}, of the kit {found.on_events} and {found.on_streams}; "
            f"its inbox takes {found.inbox_bytes / found.messages:,.0f} bytes a message."
        )

    def _share(self, what: str, ours: float, against: str, theirs: float, setting: str, least: float) -> None:
        self._report.rows.append(
            Row(
                what,
                f"{ours:,.0f} events/s",
                f"{against}: {theirs:,.0f} events/s ({setting})",
                f"{ours / theirs:.2f} of its events/s",
                f"{least:.2f}",
                ours >= least * theirs,
            )
        )
