"""The page for people who write folds tells what each thing costs, as the benchmark prints it."""

from pathlib import Path
from unittest.mock import patch

from bench import columns

PAGE = Path(__file__).parents[2] / "docs/columns.md"


def test_the_page_tells_the_cost_of_everything_that_is_measured() -> None:
    with patch.object(columns, "ROUNDS", 1):
        lines = columns.table().splitlines()
    text = PAGE.read_text(encoding="utf-8")
    for line in lines[2:]:
        what, micros, each = (cell.strip() for cell in line.strip("|").split("|"))
        assert float(micros.replace(",", "")) == float(micros.replace(",", "")), "a number"
        assert any(row.startswith(f"| {what} | ") and row.endswith(f" | {each} |") for row in text.splitlines()), what
