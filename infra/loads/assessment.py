"""What was staged, as the load tells of it: files, counts, checks and the judgement on them."""

from collections.abc import Collection, Iterator

from replayhouse.domain.quality.events import CheckResult, ExtractFile, FileCount
from replayhouse.domain.quality.rules import Check, passed
from replayhouse.infra.loads.opened import Complete
from replayhouse.infra.staging.staging import Staged
from replayhouse.ingest.assess import MAY_BE_WITHOUT, REQUIRED_FILES
from replayhouse.ingest.assess import assess as judge
from replayhouse.ingest.batch import Assessed


def assess(staged: Staged, loaded: Collection[str], complete: Complete | None = None) -> Assessed:
    """Holds the rules against a staged extract; `loaded` are the short names of files that earlier loads brought.

    `complete` tells of a source that says that its extracts hold everything.
    """
    not_needed = {*loaded, *staged.without}
    judged = judge(
        list(staged.extract.files),
        staged.unreadable,
        staged.checks,
        not_needed,
        staged.set_aside,
        [some.counts for some in staged.missing_records],
        complete.may_shrink if complete is not None else None,
    )
    return Assessed(
        files=tuple(
            ExtractFile(file, found.bytes, found.sha256, staged.counts[file].rows)
            for file, found in staged.extract.files.items()
        ),
        counts=tuple(FileCount(file, *counts[1:]) for file, counts in staged.counts.items()),
        checks=tuple(_result(check) for check in judged.checks),
        score=judged.score,
        reasons=(*judged.reasons, *_advice(staged, not_needed)),
    )


def _advice(staged: Staged, not_needed: Collection[str]) -> Iterator[str]:
    """What the author of a mapping can do about kinds of records that it does not make."""
    if staged.cells is None:
        return
    lacking = [file for file in REQUIRED_FILES if file in staged.missing and file not in not_needed]
    if lacking:
        yield f"What makes them, the mapping says: in [records.{lacking[0]}], or by a SELECT in {lacking[0]}.sql."
    if names := ", ".join(f'"{file}"' for file in MAY_BE_WITHOUT if file in lacking):
        yield f"If the source never has any of these, its mapping says so: without = [{names}], under [expectations]."


def _result(check: Check) -> CheckResult:
    rule = check.rule
    return CheckResult(rule.name, rule.dimension.value, rule.severity.value, check.checked, check.failed, passed(check))
