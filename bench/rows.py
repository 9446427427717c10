"""Rows of the table that are made of a figure and a baseline's best case, and what is noted beside them."""

from bench.report import Report, Row
from bench.timing import Best


def rate_row(report: Report, what: str, ours: float, against: str, best: Best, events: int, times: int) -> None:
    """The program's events/s against the baseline's, which had so many events; `times` as many are to be reached."""
    theirs = events / best.seconds
    report.rows.append(
        Row(
            what,
            f"{ours:,.0f} events/s",
            f"{against}: {theirs:,.0f} events/s ({best.setting})",
            f"{ours / theirs:.1f} times its events/s",
            f"{times} times",
            ours >= times * theirs,
        )
    )


def note_rates(report: Report, against: str, best: Best, events: int) -> None:
    """How the baseline's settings compare, in events/s."""
    rates = ", ".join(f"{setting} {events / seconds:,.0f}" for setting, seconds in best.firsts.items())
    report.notes.append(f"{against}, {events:,} events, events/s: {rates}; the best again and again {best.timing}.")


def time_row(report: Report, what: str, ours: float, against: str, best: Best, times: int) -> None:
    """The program's seconds against the baseline's; no more than `times` as many are to be reached."""
    report.rows.append(
        Row(
            what,
            f"{ours:.2f} s",
            f"{against}: {best.timing} ({best.setting})",
            f"{ours / best.seconds:.1f} times its time",
            f"at most {times}",
            ours <= times * best.seconds,
        )
    )


def note_seconds(report: Report, against: str, best: Best) -> None:
    """How the baseline's settings compare, in seconds, if there are several."""
    if len(best.firsts) > 1:
        seconds = ", ".join(f"{setting} {first:.2f} s" for setting, first in best.firsts.items())
        report.notes.append(f"{against}, each setting once: {seconds}.")
