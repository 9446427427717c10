"""The warehouse moves on while pages are open: nothing fails, and a note says that there is news."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from replayhouse.infra.application import moments as moments_of_questions
from replayhouse.infra.read_models.marts_shown import Replaced
from replayhouse.ingest.synthetic import generate
from tests.support.in_process import Warehouse

_POLL = re.compile(r'data-again="(/news\?seen=[^"]+)" data-every="15"')
_ROUNDS = 3
"""So often each page is asked for, at least, while something is at work."""


def poll_of(client: TestClient, page: str = "/questions/22") -> str:
    """What an open page asks for again and again."""
    found = _POLL.search(client.get(page).text)
    assert found is not None
    return found.group(1)


def test_a_page_is_told_once_the_warehouse_shows_something_else(
    own: Warehouse, own_client: TestClient, tmp_path: Path
) -> None:
    poll = poll_of(own_client)
    quiet = own_client.get(poll)
    assert (quiet.status_code, quiet.content) == (204, b"")
    own.json("rebuild")
    assert "what is shown was made anew" in own_client.get(poll).text
    poll, before = poll_of(own_client), own_client.get("/api/moments").json()["shown"]
    generate(tmp_path / "more", 60, 12, None, 1)
    own.json("ingest", tmp_path / "more")
    now = own_client.get("/api/moments").json()["shown"]
    told = own_client.get(poll).text
    assert f"position {before:,} → {now:,}" in told
    assert 'href=""' in told  # the page itself, with all that its address says
    assert own_client.get(poll_of(own_client)).status_code == 204


@pytest.mark.parametrize("seen", ["", "x", "1.2.3", "%00", "9" * 61])
def test_a_mark_that_is_none_does_no_harm(client: TestClient, seen: str) -> None:
    assert client.get(f"/news?seen={seen}").status_code in (200, 204, 400)


@contextmanager
def asked_all_the_while(client: TestClient, paths: list[str]) -> Iterator[Counter[tuple[str, int]]]:
    """How often each path was answered with which status, from before the block to after it."""
    told: Counter[tuple[str, int]] = Counter()
    over = threading.Event()

    def ask() -> None:
        while not over.is_set() or any(told[path, 200] < _ROUNDS for path in paths):
            for path in paths:
                told[path, client.get(path).status_code] += 1
            if sum(told.values()) > sum(told[path, 200] for path in paths):
                return

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        yield told
    finally:
        over.set()
        for thread in asking:
            thread.join()


def test_no_answer_fails_while_the_warehouse_is_rebuilt_loaded_and_taken_back(
    own: Warehouse, own_client: TestClient, tmp_path: Path
) -> None:
    first = own_client.get("/api/moments").json()["loads"][0]["at"]
    paths = ["/", "/questions/22", f"/questions/22?at={first}", "/api/questions/91", "/moments", "/api/moments", "/log"]
    paths += ["/quality", "/readyz", "/news?seen=1.2"]
    generate(tmp_path / "more", 60, 12, None, 1)
    with asked_all_the_while(own_client, paths) as told:
        own.json("rebuild")
        load = own.json("ingest", tmp_path / "more")["batch"]
        own.json("retract", load, "--reason", "it was a test")
    assert {status for _, status in told} == {200}
    assert {path for path, _ in told} == set(paths)


def test_a_read_that_meets_the_exchange_of_marts_is_done_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, met = moments_of_questions.read_moment, iter([True, True])

    def meeting(*given: object) -> object:
        if next(met, False):
            raise Replaced("The marts were replaced a moment ago. Try again.")
        call: Callable[..., object] = read
        return call(*given)

    monkeypatch.setattr(moments_of_questions, "read_moment", meeting)
    assert client.get("/questions/22").status_code == 200
    met = iter([True] * 100)
    told = client.get("/api/questions/22")
    assert (told.status_code, told.json()) == (409, {"error": "The marts were replaced a moment ago. Try again."})
