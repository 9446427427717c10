"""SQL files with a head: what is read of them, and how a bad one is refused."""

from decimal import Decimal
from pathlib import Path

import pytest

from replayhouse.projections.questions.question import read_question
from replayhouse.projections.sql_files import Statement, read_sql_file

HEAD = """\
-- number = 7
-- group = "G"
-- title = "T?"
-- columns = "month* late# late_pct"
-- key = ["month"]
-- chart = { kind = "table" }
-- finding = "In {first.month}."
-- definition = "D"
-- [made_of]
-- late_pct = ["late"]
"""
BODY = """
-- answer:
SELECT 1
-- a comment

-- rows:
SELECT 2;
"""


def file(folder: Path, text: str, name: str = "007_t.sql") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_head_is_toml_and_statements_know_their_lines(tmp_path: Path) -> None:
    found = read_sql_file(file(tmp_path, "-- rate = 1.50\n-- text = '''\n-- é'''\n" + BODY))
    assert found.head == {"rate": Decimal("1.50"), "text": "é"}
    assert found.statements == {
        "answer": Statement("SELECT 1\n-- a comment", 6),
        "rows": Statement("SELECT 2", 10),
    }


def test_a_question_is_read(tmp_path: Path) -> None:
    found = read_question(file(tmp_path, HEAD + BODY))
    assert (found.number, found.key, found.measures, found.findings) == (
        7,
        ("month",),
        ("late",),
        ("In {first.month}.",),
    )
    assert [column.type for column in found.columns] == ["text", "int", "numeric(14,2)"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("number = 7", "number = ", "007_t.sql has no head in TOML: .*line 1"),
        ("-- title", "-- number", "007_t.sql has no head in TOML: .*line 3"),
        ("-- rows:", "-- answer:", "007_t.sql, line 16: a second statement 'answer'"),
        ("-- rows:", "-- row:", "007_t.sql: it has not both statements, answer and rows"),
        ('-- title = "T?"\n', "", "007_t.sql does not say its title"),
        ('-- finding = "In {first.month}."\n', "", "007_t.sql does not say its finding"),
        ("number = 7", "number = 8", "007_t.sql: its number is not that of the file"),
        ('key = ["month"]', 'key = ["late"]', "007_t.sql: its key is not its first columns"),
        ('late_pct = ["late"]', 'lateness = ["late"]', "007_t.sql: made_of names what is no column"),
        (
            'late_pct = ["late"]',
            'late_pct = ["late"]\n-- [beyond]\n-- late = "all"',
            "beyond names what is not in made_of",
        ),
        ('late_pct = ["late"]', 'late_pct = ["late_pct"]', "made_of names parts that are themselves made of others"),
        ('late_pct"', 'late-pct"', "'late-pct' is no column"),
        ("late#", "late!", "'late!' is no column"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_place(tmp_path: Path, before: str, after: str, told: str) -> None:
    text = HEAD + BODY
    assert text.count(before) == 1
    with pytest.raises(ValueError, match=told):
        read_question(file(tmp_path, text.replace(before, after)))
