"""What cannot be undone is shown and asked for, or said to be meant."""

import io

import pytest

from tests.acceptance.test_erasure import ERASED, PERSONAL, loaded, server, warehouse
from tests.support.cli import Done
from tests.support.in_process import Warehouse, refused

__all__ = ["loaded", "server", "warehouse"]

ERASE = ("customer", "erase", ERASED, "--reason", "asked for it")


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True


def answering(warehouse: Warehouse, answer: str, monkeypatch: pytest.MonkeyPatch) -> Done:
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdin", Terminal(answer))
        return warehouse.run(*ERASE)


def test_where_nobody_can_be_asked_nobody_is_erased(warehouse: Warehouse) -> None:
    position = warehouse.json("status")["position"]
    refused(warehouse.run(*ERASE, "--json"), 2, "--yes")
    assert warehouse.json("status")["position"] == position


def test_on_a_terminal_it_says_how_much_is_erased_and_does_so_when_that_is_meant(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = warehouse.json("status")["position"]
    done = answering(warehouse, "n\n", monkeypatch)
    assert (done.code, "Nothing was erased." in done.err) == (1, True)
    assert warehouse.json("status")["position"] == position
    for told in (
        "destroys 5 keys for good, with what 1 load told of it",
        "1 row of customer.dim_customer",
        "4 rows of quality.quarantine",
        f"Erase the data of {ERASED}? [y/N]",
    ):
        assert told in done.err
    assert [word for word in PERSONAL if word in done.err] == []

    done = answering(warehouse, "y\n", monkeypatch)
    assert (done.code, "is erased, and 4 quarantined records with it" in done.out) == (0, True)
    assert "erased already" in answering(warehouse, "", monkeypatch).out, "nothing is left to ask about"
