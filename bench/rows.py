"""Rows of the table that are made of a figure and a baseline's best case, and what is noted beside them."""

from bench.report import Report, Row
from bench.timing import Best, Timing


def rate_row(
    report: Report, what: str, ours: float, against: str, best: Best, events: int, times: float | None
) -> None:
    """The program's events/s against the baseline's, which had so many events.

    `times` as many are to be reached; None asks for nothing.
    """
    theirs = events / best.seconds
    report.rows.append(
        Row(
            what,
            f"{ours:,.0f} events/s",
            f"{against}: {theirs:,.0f} events/s ({best.setting})",
            f"{ours / theirs:.1f} times its events/s",
            "" if times is None else f"{times:g} times",
            None if times is None else ours >= times * theirs,
        )
    )


def note_rates(report: Report, against: str, best: Best, events: int) -> None:
    """How the baseline's settings compare, in events/s."""
    rates = ", ".join(f"{setting} {events / seconds:,.0f}" for setting, seconds in best.firsts.items())
    report.notes.append(f"{against}, {events:,} events, events/s: {rates}; the best again and again {best.timing}.")


def time_row(report: Report, what: str, ours: Timing, against: str, best: Best, times: float | None) -> None:
    """The program's seconds against the baseline's, of which it is to take `times` at most; None asks for nothing."""
    report.rows.append(
        Row(
            what,
            str(ours),
            f"{against}: {best.timing} ({best.setting})",
            f"{ours.seconds / best.seconds:.2f} times its time",
            "" if times is None else f"at most {times:g}",
            None if times is None else ours.seconds <= times * best.seconds,
        )
    )


def note_seconds(report: Report, against: str, best: Best) -> None:
    """How the baseline's settings compare, in seconds, if there are several."""
    if len(best.firsts) > 1:
        seconds = ", ".join(f"{setting} {first:.2f} s" for setting, first in best.firsts.items())
        report.notes.append(f"{against}, each setting once: {seconds}.")
