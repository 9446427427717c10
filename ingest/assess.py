"""Whether an extract is believable: what was counted is judged by the rules of quality.

Only what makes the extract as a whole unbelievable rejects it: a required file that neither it nor the log has, one of
which no record passes, or a file that cannot be read as what it claims to be.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from replayhouse.domain.quality.rules import RULE, RULES, Check, Severity, score

REQUIRED_FILES = ("customers", "order_items", "order_payments", "order_reviews", "orders", "products", "sellers")
OPTIONAL_FILES = ("geolocation", "categories")

FILE_RULES = tuple(rule for rule in RULES if rule.severity is Severity.CRITICAL)
"""Rules that hold for a file as a whole."""


class Unreadable(NamedTuple):
    """Why a file cannot be read: its short name, physical line (the header being 1), byte, and the broken rule."""

    file: str
    line: int | None
    offset: int | None
    reason: str
    rule: str


class SetAside(NamedTuple):
    """Of one file, by its short name: how many of its records are kept apart, line and fault of the first of them."""

    file: str
    records: int
    of: int
    line: int
    reason: str


@dataclass(frozen=True)
class Assessment:
    """The judgement on an extract; `reasons` says why it is rejected, and is empty if it is accepted."""

    checks: tuple[Check, ...]
    score: Decimal
    reasons: tuple[str, ...]

    @property
    def is_accepted(self) -> bool:
        """Whether the extract may be loaded."""
        return not self.reasons


def assess(
    present: Collection[str],
    unreadable: Sequence[Unreadable],
    counted: Sequence[Check],
    loaded: Collection[str] = (),
    set_aside: Sequence[SetAside] = (),
) -> Assessment:
    """Judges an extract by its files and by what was counted over its records.

    `present` are the short names of its files, `loaded` of those that earlier loads brought; `counted` is empty if a
    file is unreadable. `set_aside` tells of the files of which records are kept apart.
    """
    missing = [file for file in REQUIRED_FILES if file not in present and file not in loaded]
    hopeless = [some for some in set_aside if some.file in REQUIRED_FILES and some.records == some.of]
    checks = [_file_check(rule.name, present, unreadable, missing, hopeless) for rule in FILE_RULES]
    reasons = [f"The file {file} is missing, and no earlier load brought it." for file in missing]
    reasons += [f"The file {fault.file} is unreadable: {fault.reason}." for fault in unreadable]
    reasons += [
        f"Of the {some.of:,} records of the file {some.file} none passes; the first, line {some.line}: {some.reason}."
        for some in hopeless
    ]
    judged = (*checks, *counted)
    return Assessment(judged, score(judged), tuple(reasons))


def _file_check(
    rule: str,
    present: Collection[str],
    unreadable: Sequence[Unreadable],
    missing: Sequence[str],
    hopeless: Sequence[SetAside],
) -> Check:
    if rule == "required_files_present":
        return Check(RULE[rule], len(REQUIRED_FILES), len(missing))
    if rule == "files_have_good_records":
        return Check(RULE[rule], sum(file in REQUIRED_FILES for file in present), len(hopeless))
    return Check(RULE[rule], len(present), len({fault.file for fault in unreadable if fault.rule == rule}))
