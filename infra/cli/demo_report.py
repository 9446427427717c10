"""What `demo` tells at its end: what was loaded, what it is worth, and three answers of the star schema."""

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from replayhouse.infra.cli.loads import GOAL, show_counts
from replayhouse.infra.cli.output import say, seconds_so_far, table
from replayhouse.infra.cli.streams import is_unicode
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.application.demo import DemoReport
    from replayhouse.infra.application.demo_answers import Answers

FINDINGS_SHOWN = 8
BAR = 36
"""The longest bar, in characters."""


def show(report: "DemoReport", *, hides_own_database: bool) -> None:
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


def _show_quality(report: "DemoReport") -> None:
    say(f"Quality score: {report.loaded.score:.2f} of 100 (the goal is above {GOAL}). The gravest findings:")
    for found in report.found[:FINDINGS_SHOWN]:
        say(f"  {found.sentence} Not so in {found.failed:,} of {found.checked:,}.")
    if len(report.found) > FINDINGS_SHOWN:
        say(f"  ... and {len(report.found) - FINDINGS_SHOWN} more: replayhouse quality report")
    say()


def _show_answers(answers: "Answers") -> None:
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


def _show_next(report: "DemoReport", *, hides_own_database: bool) -> None:
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
        ("ask 22", "one of a hundred questions: how much is late?"),
        ("db psql", "ask the star schema yourself"),
        ("db stop", "when you are done"),
    ):
        say(f"  {why}")
        say(f"    {called} {arguments}")
    say()
    say(f"See it: {called} serve")


def _program() -> str:
    """How this program is called from here: by its name, or by its path where the shell would not find it."""
    ours, found = Path(sys.executable).with_name("replayhouse"), shutil.which("replayhouse")
    if not ours.exists() or (found is not None and ours.samefile(found)):
        return "replayhouse"
    here = Path.cwd()
    return shlex.quote(str(ours.relative_to(here) if ours.is_relative_to(here) else ours))
