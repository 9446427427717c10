"""A first load of hard values is decided on columns as family by family: the log is the same, event by event."""

from pathlib import Path
from random import Random

from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime import column_folds
from tests.oracle.lines import a_customer, a_payment, an_item, an_order
from tests.support.extracts import Lines, a_good_extract, a_review, write
from tests.support.loads_on_columns import small_steps
from tests.support.recorded_loads import beside, loaded, recorded

TEXTS = (
    "bom", '"'"entre aspas"'"', "a\\\\b", "NaN", "null", "-0.0", "1e5", "\u2028", "e\u0301", "\N{GRINNING FACE}",
    " a  b ", "\x7f", "\\u0000", "true", "\N{ZERO WIDTH SPACE}", "\ufeff", "{}", "[]", "\N{LATIN SMALL LETTER SHARP S}",
)  # fmt: skip
AMOUNTS = ("0.00", "0.01", "999999.99", "10.005", "-0.00", "NaN", "1e2", "9999999999.99", "9007199254740993.00")
DAYS = ("2017-03-09 10:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2017-03-09 10:00:00.5", "2017-02-30")


def hard_extract(seed: int, orders: int) -> Lines:
    """Orders of one shape, most of whose values are plain; what the rules keep out is kept out either way."""
    chance = Random(seed)
    numbers = range(1, orders + 1)

    def mostly(usual: str, others: tuple[str, ...]) -> str:
        return usual if chance.random() < 0.8 else chance.choice(others)

    return a_good_extract() | {
        "customers": [a_customer(100 + n, 900 + n // 2, city=mostly("itu", TEXTS)) for n in numbers],
        "orders": [an_order(n, delivered=mostly(DAYS[0], DAYS)) for n in numbers],
        "order_items": [an_item(n, price=mostly("10.00", AMOUNTS)) for n in numbers],
        "order_payments": [a_payment(n, 1, mostly("10.00", AMOUNTS)) for n in numbers],
        "order_reviews": [
            a_review(800 + n, n, title=chance.choice(TEXTS), comment=chance.choice(TEXTS)) for n in numbers
        ],
    }


def test_what_is_decided_on_columns_is_what_is_decided_family_by_family(server: EmbeddedServer, tmp_path: Path) -> None:
    extract = write(tmp_path / "extract", hard_extract(3, 120))
    with small_steps(2):
        column_folds.taken()
        with loaded(server, extract, tmp_path / "many", "on") as many:
            events, others = recorded(many), beside(many)
        counts = column_folds.taken()["persons"]
        with loaded(server, extract, tmp_path / "single", "off") as single:
            assert (events, others) == (recorded(single), beside(single))
    assert counts.streams > 20
    assert (counts.beyond, counts.error) == (0, "")
