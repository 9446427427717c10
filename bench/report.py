"""The figures of a run: as a table on the terminal, and as a section of `docs/performance.md`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"

LINEAR = 1.25
"""What takes so many times the time per order, or less, at a larger size grows with the orders."""

HEADERS = ("what", "the program", "baseline, its best case", "ratio", "to reach", "reached")


@dataclass(frozen=True)
class Row:
    """One row of the table. `ratio` and `reach` say what they are of; `is_reached` is None where nothing is asked."""

    what: str
    ours: str
    baseline: str
    ratio: str
    reach: str
    is_reached: bool | None

    @property
    def cells(self) -> tuple[str, ...]:
        """The row in the order of HEADERS."""
        reached = {True: "yes", False: "no", None: ""}[self.is_reached]
        return (self.what, self.ours, self.baseline, self.ratio, self.reach, reached)


@dataclass
class Report:
    """What a run found, as it goes on."""

    machine: Sequence[str] = ()
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    growth: dict[str, dict[int, float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether everything was measured and reached."""
        return not self.failures and all(row.is_reached is not False for row in self.rows)


def show(report: Report) -> None:
    """Prints the report as it would stand on the page."""
    print(_markdown(report))


def write(report: Report, section: str) -> None:
    """Puts the report between the markers of its section of the page."""
    begin, end = f"<!-- {section}: begin, written by bench -->", f"<!-- {section}: end -->"
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    if not rest or end not in page:
        raise ValueError(f"{PAGE.name} has no place for the section {section}")
    PAGE.write_text(f"{before}{begin}\n{_markdown(report)}\n{end}{after}", encoding="utf-8")


def _markdown(report: Report) -> str:
    parts = ["", *(f"- {line}" for line in report.machine), ""]
    if report.rows:
        parts += _markdown_table(HEADERS, (row.cells for row in report.rows))
    if report.growth:
        parts += _markdown_table(*_growth(report.growth))
    for title, shares in report.costs.items():
        parts += ["", *_markdown_table((title, "seconds", "share"), _shares(shares))]
    if report.notes:
        parts += ["", *(f"- {note}" for note in report.notes)]
    if report.failures:
        parts += ["", *(f"- Not measured: {failure}" for failure in report.failures)]
    return "\n".join([*parts, ""])


def _markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [headers, ["---"] * len(headers), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]


def _shares(seconds: dict[str, float]) -> list[tuple[str, str, str]]:
    total = sum(seconds.values()) or 1.0
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    return [(doing, f"{spent:.1f}", f"{spent / total:.0%}") for doing, spent in ordered]


def _growth(seconds: dict[str, dict[int, float]]) -> tuple[list[str], list[list[str]]]:
    """Headers and rows: seconds at each size, how many times as long the next takes, and whether that is linear."""
    sizes = sorted({orders for at in seconds.values() for orders in at})
    steps = list(pairwise(sizes))
    headers = ["what", *(f"{orders:,} orders" for orders in sizes)]
    headers += [f"{larger / smaller:g} times the orders" for smaller, larger in steps]
    rows = []
    for what, at in seconds.items():
        cells = [f"{at[orders]:.2f} s" if orders in at else "" for orders in sizes]
        for smaller, larger in steps:
            is_known = smaller in at and larger in at
            cells.append(_step(at[larger] / at[smaller], larger / smaller) if is_known else "")
        rows.append([what, *cells])
    return headers, rows


def _step(seconds: float, orders: float) -> str:
    """How many times as long it takes for so many times the orders. What is less than linear has a fixed part."""
    than_linear = seconds / orders
    kind = "more than linear" if than_linear > LINEAR else "linear" if than_linear >= 1 / LINEAR else "less than linear"
    return f"{seconds:.1f} times the time, {kind}"
