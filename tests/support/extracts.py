"""Small extracts that belong together, to be harmed, split and loaded one after another.

An extract is its lines by file (`tests.oracle.lines` says how ids are written): orders 1 to 5, each under the alias 100
more than its number, of the persons 901 to 904; products 70 and 71; sellers 50 and 51.
"""

import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.oracle.expected import FILES
from tests.oracle.lines import HEADERS, a_customer, a_payment, an_id, an_item, an_order, line

Lines = dict[str, list[str]]

COMMENT = '"muito ""bom"",\r\nobrigado "'
"""A cell with quotes, a comma, a line end and a blank at its end."""


def a_good_extract() -> Lines:
    """Five orders on their ways, and everything that belongs to them: no row of it is bad."""
    return {
        "customers": [
            a_customer(101, 901, "01001", "são paulo"),
            a_customer(102, 901, "20000", "rio de janeiro", "RJ"),
            a_customer(103, 902, "20000", "Rio de  Janeiro", "RJ"),
            a_customer(104, 903, "01001"),
            a_customer(105, 904, "69900", "rio branco", "AC"),
        ],
        "geolocation": [
            "01001,-23.5475,-46.6361,sao paulo,SP",
            "01001,-23.55,-46.63,são paulo,SP",
            "01001,-23.55,-46.63,são paulo,SP",
            "20000,-22.9,-43.2,rio de janeiro,RJ",
        ],
        "order_items": [
            an_item(1, 1, "94.9", "10.05"),
            an_item(1, 2, "5.00", "0.05", seller=51),
            an_item(2, 1, "900.00", "20.00", seller=51),
            an_item(3, 1, "10.00", "1.00"),
            an_item(5, 1, "10.00", "1.00"),
        ],
        "order_payments": [
            a_payment(1, 1, "110.00", "credit_card", 3),
            a_payment(2, 1, "20.00", "voucher"),
            a_payment(2, 2, "900.00"),
            a_payment(3, 1, "11.00"),
            a_payment(5, 1, "11.00"),
        ],
        "order_reviews": [
            a_review(801, 1, 5, comment=COMMENT),
            a_review(802, 2, 1, title=" ", comment="atrasou"),
        ],
        "orders": [
            an_order(1, **times(1, 3, 10)),
            an_order(2, placed="2017-04-02 09:30:00", **times(3, 5, 25), promised="2017-04-20 00:00:00"),
            an_order(3, "shipped", placed="2017-05-01 10:00:00", approved="2017-05-01 10:00:01"),
            an_order(4, "created", placed="2017-05-02 10:00:00"),
            an_order(5, "canceled", placed="2017-05-03 10:00:00", approved="2017-05-03 11:00:00"),
        ],
        "products": [line(an_id(70), "casa", 40, 500, 2, 800, 20, 10, 3), line(an_id(71), "", *[""] * 7)],
        "sellers": [line(an_id(50), "04001", "são paulo", "SP"), line(an_id(51), "80000", "curitiba", "PR")],
        "categories": ["casa,home", "livros,books"],
    }


def times(approved: int, carrier: int, delivered: int, month: int = 4) -> dict[str, str]:
    """Times of an order's steps, by day of the month."""
    days = {"approved": approved, "carrier": carrier, "delivered": delivered}
    return {step: f"2017-{month:02}-{day:02} 12:00:00" for step, day in days.items()}


def a_review(
    review: int,
    order: int,
    score: object = 5,
    *,
    title: str = "",
    comment: str = "",
    created: str = "2017-05-01 00:00:00",
    answered: str = "2017-05-02 18:00:00",
) -> str:
    return line(an_id(review), an_id(order), score, title, comment, created, answered)


def changed(lines: Mapping[str, Iterable[str]], **files: Callable[[list[str]], list[str]]) -> Lines:
    """The extract with some of its files changed."""
    return {file: files.get(file, list)(list(some)) for file, some in lines.items()}


def adding(*lines: str) -> Callable[[list[str]], list[str]]:
    """A change that puts lines at the end of a file."""
    return lambda some: [*some, *lines]


def replacing(old: str, new: str) -> Callable[[list[str]], list[str]]:
    """A change of the one line that holds a text."""

    def change(some: list[str]) -> list[str]:
        assert sum(old in text for text in some) == 1, f"{old!r} stands in one line"
        return [text.replace(old, new) for text in some]

    return change


def instead(number: int, text: str) -> Callable[[list[str]], list[str]]:
    """A change of one line, the first being 0."""
    return lambda some: [*some[:number], text, *some[number + 1 :]]


def without(number: int) -> Callable[[list[str]], list[str]]:
    """A change that leaves out one line, the first being 0."""
    return lambda some: [*some[:number], *some[number + 1 :]]


def write(folder: Path, lines: Mapping[str, Iterable[str]]) -> Path:
    """Writes the files of an extract that it has, each with its header; returns the folder, which is made."""
    folder.mkdir(parents=True)
    for file, some in lines.items():
        content = "".join(f"{text}\n" for text in (HEADERS[file], *some))
        (folder / FILES[file]).write_text(content, encoding="utf-8", newline="")
    return folder


def zipped(folder: Path, path: Path, compression: int = zipfile.ZIP_STORED) -> Path:
    """The files of a folder as a zip; returns its path."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return path


def a_later_extract() -> Lines:
    """The good extract some days later: corrected, gone on, and with a new person's order, in another year."""
    return changed(
        a_good_extract(),
        customers=lambda some: [*some, a_customer(106, 905)],
        order_items=adding(an_item(6, 1, "30.00", "3.00"), an_item(77, 1, "1.00", "1.00")),
        orders=lambda some: [
            *some[:3],
            an_order(4, "delivered", placed="2017-05-02 10:00:00", **times(3, 5, 25, month=5)),
            some[4],
            an_order(6, placed="2018-06-01 10:00:00", approved="2018-06-01 10:30:00", promised="2018-07-01 00:00:00"),
        ],
        products=replacing("casa,40,500,2,800", "livros,41,500,2,900"),
        sellers=replacing("04001", "04002"),
        geolocation=replacing("-22.9,", "-22.8,"),
    )
