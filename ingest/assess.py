"""Whether an extract is believable: what was counted is judged by the rules of quality.

Only what makes the extract as a whole unbelievable rejects it: a required file that neither it nor the log has, one of
which no record passes, a file that cannot be read as what it claims to be; and, where a source says that its extracts
hold everything, one that lacks much of what it had.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from replayhouse.domain.quality.rules import RULE, RULES, RULES_OF_MAPPINGS, Check, Severity, score

REQUIRED_FILES = ("customers", "order_items", "order_payments", "order_reviews", "orders", "products", "sellers")
OPTIONAL_FILES = ("geolocation", "categories")
MAY_BE_WITHOUT = ("order_items", "order_payments", "order_reviews", "products", "sellers")
"""Required files of which a source other than Olist may have no records at all."""

FILE_RULES = tuple(rule for rule in RULES if rule.severity is Severity.CRITICAL and rule.name not in RULES_OF_MAPPINGS)
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


class Missing(NamedTuple):
    """Of one kind of record: how many earlier loads of a source brought, and how many of them its extract lacks.

    As many as are `unreadable`, records whose key cannot be read, may be there all the same.
    """

    file: str
    known: int
    missing: int
    unreadable: int

    @property
    def lacking(self) -> int:
        """How many are missing whatever those are that cannot be read."""
        return max(self.missing - self.unreadable, 0)


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
    missing_records: Sequence[Missing] = (),
    may_shrink: Fraction | None = None,
) -> Assessment:
    """Judges an extract by its files and by what was counted over its records.

    `present` are the short names of its files, `loaded` of those that earlier loads brought; `counted` is empty if a
    file is unreadable. `set_aside` tells of the files of which records are kept apart, `missing_records` of those that
    lack some; of each kind no larger share than `may_shrink`, 0 to 1, is believed to be gone. It is None where a source
    does not say that its extracts hold everything.
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
    if may_shrink is not None and not unreadable:
        shrunk = [some for some in missing_records if some.known and Fraction(some.lacking, some.known) > may_shrink]
        checks.append(Check(RULE["extract_not_shrunk"], sum(some.known > 0 for some in missing_records), len(shrunk)))
        reasons += [_shrunk(some, may_shrink) for some in shrunk]
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


def _shrunk(some: Missing, may_shrink: Fraction) -> str:
    return (
        f"Of the {some.known:,} records of {some.file} that earlier loads of this source brought, the extract lacks "
        f"{some.lacking:,}: more than {float(may_shrink * 100):g} %, which its mapping believes (shrinks_at_most)."
    )
