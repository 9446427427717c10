"""The rules of quality: targets met exactly, and scores without a float."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from replayhouse.domain.quality.rules import (
    RULE,
    RULES,
    TARGETS,
    WEIGHTS,
    Check,
    Dimension,
    Severity,
    kept,
    passed,
    score,
)
from replayhouse.ingest.assess import FILE_RULES, OPTIONAL_FILES, REQUIRED_FILES, SetAside, Unreadable, assess

LOW = RULE["cities_plain"]
HIGH = RULE["values_readable"]


def test_there_are_thirty_rules_or_more_in_all_six_dimensions_with_names_of_their_own() -> None:
    assert len(RULES) >= 30
    assert len(RULE) == len(RULES)
    assert {rule.dimension for rule in RULES} == set(Dimension) == set(TARGETS)
    assert set(WEIGHTS) == set(Severity)


def test_the_page_on_quality_names_every_rule_with_its_sentence_severity_and_target() -> None:
    page = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| (.+?) \| (CRITICAL|HIGH|MEDIUM|LOW) \|", page, re.MULTILINE)
    assert told == [(rule.name, rule.sentence.replace("|", "\\|"), rule.severity) for rule in RULES]
    targets = re.findall(r"^\*\*(\w+)\*\*, target ([\d.]+) %$", page, re.MULTILINE)
    assert targets == [(name.value.capitalize(), str(target)) for name, target in TARGETS.items()]


def test_only_what_holds_for_a_file_as_a_whole_is_critical() -> None:
    assert {rule.name for rule in FILE_RULES} == {
        "required_files_present",
        "columns_present",
        "files_complete",
        "files_have_good_records",
        "files_in_utf8",
        "lines_end_in_lf",
        "quotes_closed",
    }


@pytest.mark.parametrize(
    ("rule", "checked", "failed", "expected"),
    [
        ("orders_have_lines", 100, 2, True),
        ("orders_have_lines", 100, 3, False),
        ("orders_have_lines", 49, 1, False),
        ("samples_inside_brazil", 200, 1, True),
        ("samples_inside_brazil", 199, 1, False),
        ("keys_unique", 10**9, 1, False),
        ("keys_unique", 10**9, 0, True),
        ("keys_unique", 0, 0, True),
    ],
)
def test_a_rule_passes_if_the_target_of_its_dimension_is_reached_exactly(
    rule: str, checked: int, failed: int, expected: bool
) -> None:
    assert passed(Check(RULE[rule], checked, failed)) is expected


def test_the_score_is_the_mean_weighted_by_severity_over_what_was_checked() -> None:
    checks = [Check(HIGH, 100, 10), Check(LOW, 2, 1), Check(RULE["statuses_known"], 0, 0)]
    assert score(checks) == Decimal("82.00")  # (2 x 0.9 + 0.5 x 0.5) / 2.5


@pytest.mark.parametrize(
    ("checked", "failed", "expected"), [(3, 1, "66.67"), (16000, 1, "99.99"), (20000, 1, "100.00"), (8, 8, "0.00")]
)
def test_the_score_is_rounded_half_up_to_two_decimals(checked: int, failed: int, expected: str) -> None:
    assert str(score([Check(LOW, checked, failed)])) == expected


def test_nothing_checked_scores_full() -> None:
    assert str(score([])) == "100.00"
    assert kept(Check(LOW, 0, 0)) == 1


def test_an_extract_that_lacks_a_required_file_is_rejected_unless_the_log_has_it() -> None:
    present = [file for file in (*REQUIRED_FILES, *OPTIONAL_FILES) if file not in ("sellers", "geolocation")]
    rejected = assess(present, [], [])
    assert rejected.reasons == ("The file sellers is missing, and no earlier load brought it.",)
    assert not rejected.is_accepted
    assert assess(present, [], [], loaded=["sellers"]).is_accepted


def test_an_unreadable_file_rejects_the_extract_and_its_rule_tells() -> None:
    fault = Unreadable("orders", 7, 700, "line 7 has a NUL byte", "files_in_utf8")
    rejected = assess(REQUIRED_FILES, [fault], [])
    assert rejected.reasons == ("The file orders is unreadable: line 7 has a NUL byte.",)
    failed = {check.rule.name: (check.checked, check.failed) for check in rejected.checks if check.failed}
    assert failed == {"files_in_utf8": (7, 1)}
    assert str(rejected.score) == "97.96"


@pytest.mark.parametrize(
    ("set_aside", "reasons"),
    [
        (
            SetAside("orders", 3, 3, 2, "order_status is empty"),
            ("Of the 3 records of the file orders none passes; the first, line 2: order_status is empty.",),
        ),
        (SetAside("orders", 2, 3, 2, "order_status is empty"), ()),
        (SetAside("categories", 3, 3, 2, "product_category_name is empty"), ()),
    ],
)
def test_a_required_file_of_which_no_record_passes_rejects_the_extract(
    set_aside: SetAside, reasons: tuple[str, ...]
) -> None:
    judged = assess(REQUIRED_FILES, [], [], set_aside=[set_aside])
    assert judged.reasons == reasons
    failed = {check.rule.name: (check.checked, check.failed) for check in judged.checks if check.failed}
    assert failed == ({"files_have_good_records": (7, 1)} if reasons else {})
