"""The read models from Python: what the methods answer is what the commands print, and errors are exceptions."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import replayhouse
from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support.both import Both
from tests.support.databases import copied
from tests.support.in_process import as_printed
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])


class Orders(Both):
    """The same, with as many orders as are placed."""

    def __init__(self, database: Database, home: Path) -> None:
        super().__init__(database, home)
        self._database = database
        self._placed = 0

    def place(self, count: int) -> int:
        """Places that many more orders; the position of the last event."""
        with self._database.connect("replayhouse test", autocommit=True) as conn:
            first = self._placed + 1
            self._placed += count
            return Log(conn).append_all("sales", {an_id((first + n) << 110): PLACED for n in range(count)})


@pytest.fixture(scope="module")
def both(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orders]:
    with ExitStack() as stack:
        yield Orders(stack.enter_context(copied(server)), tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def untold(both: Orders) -> None:
    both.told.clear()


def without_seconds(document: Any) -> Any:
    """What came of each context but for how long it took."""
    for told in document["contexts"].values():
        del told["seconds"]
    return document


def without_sizes(document: Any) -> Any:
    """A status but for sizes on disk, which the server changes on its own."""
    for size in ("log_bytes", "read_model_bytes"):
        assert document["warehouse"].pop(size) > 0
    return document


def test_catching_up_says_how_far_each_context_is(both: Orders) -> None:
    both.python.project()
    position = both.place(3)
    report = both.python.project(["sales"])
    assert report.document() == {"contexts": {"sales": {"events": 3 * len(PLACED), "projected": position, "parked": 0}}}
    assert both.python.project("sales", retry_parked=True).document() == both.printed("project", "sales")
    assert list(both.python.project().contexts) == list(CONTEXTS)
    assert both.told == ["catching up"]


def test_following_shows_what_there_is_until_somebody_says_that_it_is_enough(both: Orders) -> None:
    both.python.project()
    position, stop = both.place(2), threading.Event()

    def follows(told: str, *_: int) -> None:
        if told == "following the log for sales":
            stop.set()

    with replayhouse.open(
        home=both.python.settings.home, database_url=both.python.settings.database_url, tell=follows
    ) as warehouse:
        report = warehouse.follow("sales", stop)
    assert report.document() == {"contexts": {"sales": {"events": 2 * len(PLACED)}}}
    assert report.stopped == {}
    assert both.python.project("sales").contexts["sales"] == (0, position, 0)


def test_following_does_nothing_where_it_was_enough_before(both: Orders) -> None:
    stop = threading.Event()
    stop.set()
    assert both.python.follow(["customer", "sales"], stop).events == {"sales": 0, "customer": 0}


def test_a_rebuild_answers_what_its_command_prints(both: Orders) -> None:
    both.place(1)
    report = both.python.rebuild("sales", workers=1, reason="to see")
    assert both.told[-1] == "folding every stream again"
    assert report.events == report.contexts["sales"].events > 0
    document = without_seconds(as_printed(report.document()))
    again = without_seconds(both.printed("rebuild", "sales"))
    again["contexts"]["sales"]["revision"] -= 1
    assert document == again
    assert [one.reason for one in both.python.revisions("sales").revisions][-2:] == ["to see", None]


def test_digests_are_those_that_are_printed(both: Orders) -> None:
    report = both.python.digest()
    assert report.document() == both.printed("digest")
    assert both.python.digest(["sales"]).contexts == {"sales": report.contexts["sales"]}


def test_revisions_and_prefixes_are_one_list_as_printed(both: Orders) -> None:
    both.printed("rebuild", "sales", "--into", "beside")
    found = both.python.revisions("sales")
    assert [one.prefix for one in found.prefixes] == ["beside"]
    assert as_printed(found.document()) == both.printed("revisions", "sales")
    assert both.python.drop("beside").document() == {"dropped": "beside"}
    assert both.python.revisions().prefixes == []
    with pytest.raises(replayhouse.UsageError, match="Nothing stands under the prefix 'beside'"):
        both.python.drop("beside")


def test_an_earlier_revision_is_live_again(both: Orders) -> None:
    both.python.rebuild("sales")
    former = both.python.digest("sales").contexts["sales"].revision
    done = both.python.revert("sales")
    assert (done.former.revision, done.revision) == (former, former - 1)
    document, printed = done.document(), both.printed("revert", "sales", "--to", str(former))
    assert document.keys() == printed.keys()
    assert printed["from"] == {"revision": former - 1, "position": done.position}
    assert printed["to"] == {"revision": former, "stood_at": done.position, "position": done.position}
    assert (printed["context"], printed["events"], printed["parked"]) == ("sales", 0, 0)
    with pytest.raises(replayhouse.UsageError, match="Of sales there is no earlier revision 99"):
        both.python.revert("sales", 99)


def test_the_warehouse_as_it_was_stands_under_a_prefix(both: Orders) -> None:
    then = both.place(1)
    both.place(1)
    both.python.project()
    report = both.python.rebuild_into("then", "sales", to_position=then, occurred_before=date(2018, 12, 31))
    assert (report.prefix, report.position, both.told[-1]) == (
        "then",
        then,
        "making the calendar and the marts",
    )
    assert "folding every stream as far as the limits go" in both.told
    assert report.limits.occurred_before == datetime(2018, 12, 31, 23, 59, 59, 999_999)
    limits = ("--to-position", str(then), "--occurred-before", "2018-12-31")
    printed = both.printed("rebuild", "sales", "--into", "then", *limits)
    assert without_seconds(as_printed(report.document())) == without_seconds(printed)
    now = datetime.now(UTC)
    assert both.python.rebuild_into("then", "sales", as_of=now).position > then
    [prefix] = both.python.revisions().prefixes
    assert (prefix.prefix, prefix.as_of) == ("then", now)
    both.python.drop("then")


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"as_of": datetime(2026, 3, 1, 12)}, "2026-03-01T12:00:00' has no offset"),
        ({"as_of": "yesterday"}, "'yesterday' is not a time"),
        ({"occurred_before": datetime(2026, 3, 1, 12, tzinfo=UTC)}, "has an offset, and business time has none"),
        ({"to_position": -1}, "The log has no position -1"),
        ({"to_position": 10**9}, "The log has no position 1,000,000,000"),
    ],
)
def test_limits_that_are_none_are_refused(both: Orders, limits: Any, told: str) -> None:
    with pytest.raises(replayhouse.UsageError, match=told):
        both.python.rebuild_into("then", **limits)


def test_a_comparison_answers_what_its_command_prints(both: Orders, tmp_path: Path) -> None:
    then = both.place(1)
    both.place(2)
    both.python.project()
    report = both.python.compare(then, "live", ["fact_order"], limit=1, csv=tmp_path / "python.csv")
    assert not report.is_equal
    assert report.tables[0].added == 2
    file = str(tmp_path / "command.csv")
    printed = both.printed(
        "audit", "compare", str(then), "live", "--table", "fact_order", "--limit", "1", "--csv", file
    )
    assert as_printed(report.document()) == printed
    assert (tmp_path / "python.csv").read_bytes() == (tmp_path / "command.csv").read_bytes() != b""
    with pytest.raises(replayhouse.UsageError, match=r"python\.csv"):
        both.python.compare("live", "live", ["fact_order"], csv=tmp_path / "python.csv")
    assert both.python.compare("live", datetime.now(UTC), csv=tmp_path / "python.csv", force=True).is_equal
    with pytest.raises(replayhouse.UsageError, match=r"There is nothing called 'nowhere'\. There are"):
        both.python.compare("live", "nowhere")
    with pytest.raises(replayhouse.UsageError, match="-1 rows"):
        both.python.compare("live", "live", limit=-1)


def test_the_status_is_what_is_printed_and_says_what_needs_somebody(both: Orders) -> None:
    both.python.project()
    assert both.python.status().needs == []
    assert without_sizes(as_printed(both.python.status().document())) == without_sizes(both.printed("status"))
    both.place(1)
    found = both.python.status()
    assert found.needs == [f"sales is {len(PLACED)} events behind the log: replayhouse project."]
    assert found.contexts["sales"].lag == len(PLACED)
    checked = both.commands.run("status", "--check", "--json")
    assert checked.code == 1
    document = as_printed({**found.document(), "check": found.needs})
    assert without_sizes(checked.document) == without_sizes(document)


@pytest.mark.parametrize("method", ["project", "rebuild", "digest", "revisions", "follow"])
def test_what_is_no_context_is_named_before_anything_is_done(both: Orders, method: str) -> None:
    with pytest.raises(replayhouse.UsageError, match="There is no context 'orders'"):
        getattr(both.python, method)(["sales", "orders"])
    assert both.told == []


def test_where_there_is_no_warehouse_none_is_made(tmp_path: Path) -> None:
    with replayhouse.open(home=tmp_path / "none") as warehouse, pytest.raises(replayhouse.NoWarehouse):
        warehouse.project()
    assert not (tmp_path / "none").exists()
