"""What `demo` tells at its end: what was loaded, what it is worth, and three answers of the star schema."""

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from replayhouse.infra.application.ingest import IngestReport
from replayhouse.infra.cli.loads import GOAL, show_counts
from replayhouse.infra.cli.output import count, say, seconds_so_far, table
from replayhouse.infra.cli.streams import is_unicode
from replayhouse.projections.warehouse import PROJECTIONS

REVENUE_BY_MONTH = """
SELECT d.year_month AS month, sum(o.total) AS revenue, count(*) AS orders
FROM sales.fact_order AS o
JOIN shared.dim_date AS d USING (date_key)
WHERE o.status NOT IN ('canceled', 'unavailable')
GROUP BY d.year_month
ORDER BY d.year_month
"""

ON_TIME_BY_REGION = """
SELECT
    coalesce(g.region, 'unknown') AS region,
    round(100.0 * count(*) FILTER (WHERE NOT f.is_late) / count(*), 1) AS on_time,
    count(*) AS deliveries
FROM fulfillment.fact_delivery AS f
LEFT JOIN fulfillment.dim_geography AS g ON g.zip_prefix = f.destination_zip
WHERE f.is_late IS NOT NULL
GROUP BY 1
ORDER BY on_time DESC, region
"""

TOP_CATEGORIES = """
SELECT coalesce(p.category_english, 'unknown') AS category, sum(i.price) AS sales, count(*) AS items
FROM sales.fact_order_item AS i
LEFT JOIN marketplace.dim_product AS p USING (product_id)
WHERE i.status NOT IN ('canceled', 'unavailable')
GROUP BY 1
ORDER BY sales DESC, category
LIMIT 8
"""

LATEST_DELIVERY = """
SELECT order_id
FROM fulfillment.fact_delivery
ORDER BY days_late DESC NULLS LAST, order_id
LIMIT 1
"""

ROWS = "SELECT count(*) FROM {table}"

FINDINGS_SHOWN = 8
BAR = 36
"""The longest bar, in characters."""


class Answers(NamedTuple):
    """Three answers, each a list of rows."""

    revenue_by_month: list[dict[str, Any]]
    on_time_by_region: list[dict[str, Any]]
    top_categories: list[dict[str, Any]]


class DemoReport(NamedTuple):
    """All that the demo tells. `tables`: rows by table; `found`: rule, failed, checked, sentence.

    `latest_order` is the order whose delivery was the latest after its promise: one worth a look.
    """

    home: Path
    loaded: IngestReport
    tables: dict[str, int]
    found: list[tuple[str, int, int, str]]
    answers: Answers
    latest_order: str


def report_on(connection: psycopg.Connection, home: Path, loaded: IngestReport) -> DemoReport:
    """Asks the warehouse that the demo has filled."""
    return DemoReport(
        home,
        loaded,
        _rows_by_table(connection),
        findings(quality_of(connection, loaded.batch_id)),
        Answers(
            _answer(connection, REVENUE_BY_MONTH),
            _answer(connection, ON_TIME_BY_REGION),
            _answer(connection, TOP_CATEGORIES),
        ),
        "".join(str(row["order_id"]) for row in _answer(connection, LATEST_DELIVERY)),
    )


def document_of(report: DemoReport) -> dict[str, Any]:
    """The JSON document of `demo`."""
    return {
        "home": str(report.home),
        "ingest": report.loaded.document(),
        "findings": [{"rule": rule, "failed": failed, "checked": of} for rule, failed, of, _ in report.found],
        "tables": report.tables,
        "answers": report.answers._asdict(),
        "seconds": seconds_so_far(),
    }


def show(report: DemoReport, *, hides_own_database: bool) -> None:
    """The report for people."""
    loaded = report.loaded
    records = sum(loaded.rows.values())
    told = f"{count(records, 'CSV record')} became {count(sum(loaded.events.values()), 'event')}"
    say(f"{told}, and those the star schema, in {seconds_so_far():.1f} s.")
    say()
    show_counts(loaded)
    _show_quality(report)
    table(("table", "rows"), report.tables.items(), title="The star schema")
    say()
    _show_answers(report.answers)
    say(f"Head of the chain: position {loaded.position:,}, {loaded.chain}")
    say("Whoever keeps this line can prove later that nobody has changed the log.")
    say()
    _show_next(report, hides_own_database=hides_own_database)


def _rows_by_table(connection: psycopg.Connection) -> dict[str, int]:
    names = [("shared", "dim_date")]
    names += [(context, table.name) for context, projection in PROJECTIONS.items() for table in projection.tables]
    counted = {}
    for schema, name in names:
        row = connection.execute(sql.SQL(ROWS).format(table=sql.Identifier(schema, name))).fetchone()
        counted[f"{schema}.{name}"] = int(row[0]) if row else 0
    return counted


def _answer(connection: psycopg.Connection, question: str) -> list[dict[str, Any]]:
    cursor = connection.execute(question.encode())
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _show_quality(report: DemoReport) -> None:
    say(f"Quality score: {report.loaded.score:.2f} of 100 (the goal is above {GOAL}). The gravest findings:")
    for _, failed, checked, sentence in report.found[:FINDINGS_SHOWN]:
        say(f"  {sentence} Not so in {failed:,} of {checked:,}.")
    if len(report.found) > FINDINGS_SHOWN:
        say(f"  ... and {len(report.found) - FINDINGS_SHOWN} more: replayhouse quality report")
    say()


def _show_answers(answers: Answers) -> None:
    say("How did revenue go? (R$ by month, orders that were not canceled)")
    _chart([(row["month"], float(row["revenue"]), f"{row['revenue']:>13,.2f}") for row in answers.revenue_by_month])
    say("How much arrives on time? (deliveries by region, none later than the promised day)")
    _chart(
        [
            (row["region"], float(row["on_time"]), f"{row['on_time']:>5} % of {row['deliveries']:,}")
            for row in answers.on_time_by_region
        ]
    )
    say("What sells best? (R$ by category)")
    _chart([(row["category"], float(row["sales"]), f"{row['sales']:>13,.2f}") for row in answers.top_categories])


def _chart(bars: Sequence[tuple[str, float, str]]) -> None:
    """Bars to the right of their names, each with its number."""
    sign = "█" if is_unicode(sys.stdout) else "#"
    width = max((len(name) for name, _, _ in bars), default=0)
    longest = max((size for _, size, _ in bars), default=0.0) or 1.0
    for name, size, told in bars:
        say(f"  {name:<{width}}  {sign * round(BAR * size / longest):<{BAR}}  {told}")
    say()


def _show_next(report: DemoReport, *, hides_own_database: bool) -> None:
    """Commands that run as they stand, wherever they are pasted."""
    called = f"REPLAYHOUSE_HOME={shlex.quote(str(report.home))} {_program()}"
    if hides_own_database:
        called = f"env -u REPLAYHOUSE_DATABASE_URL {called}"
    say("To look around:")
    for arguments, why in (
        ("status", "how far each context is"),
        ("quality report", "what the rules found"),
        (f"audit history order {report.latest_order}", "the order that came latest, event by event"),
        ("rebuild", "fold everything again, beside the live tables, and swap it in"),
        ("audit verify", "has anyone tampered with the log?"),
        ("db psql", "ask the star schema yourself"),
        ("db stop", "when you are done"),
    ):
        say(f"  {why}")
        say(f"    {called} {arguments}")


def _program() -> str:
    """How this program is called from here: by its name, or by its path where the shell would not find it."""
    ours, found = Path(sys.executable).with_name("replayhouse"), shutil.which("replayhouse")
    if not ours.exists() or (found is not None and ours.samefile(found)):
        return "replayhouse"
    here = Path.cwd()
    return shlex.quote(str(ours.relative_to(here) if ours.is_relative_to(here) else ours))
