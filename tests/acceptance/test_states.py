"""Every command in every state that a killed one may leave: what docs/operations.md says of it, and the ways out.

The table of that page is what is tested: one test for each of its cells.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

import replayhouse.ingest.load
import replayhouse.ingest.retract
from replayhouse.domain.quality.events import RowDiscarded
from replayhouse.domain.quality.row import row_stream_id
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.assessment import assess
from replayhouse.infra.loads.load_log import PostgresLoadLog
from replayhouse.infra.loads.retraction_log import PostgresRetractionLog
from replayhouse.infra.postgres import locks
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.restore_marker import mark
from replayhouse.ingest.batch import Assessed
from tests.oracle.lines import an_id, an_item
from tests.support.cli import Done
from tests.support.databases import copied
from tests.support.extracts import Lines, a_good_extract, a_later_extract, adding, changed, replacing, write
from tests.support.in_process import READ_MODELS, Warehouse, dying_after, refused
from tests.support.read_side import MONDAY

WHY = ("--reason", "a test")
PAGE = Path(__file__).parents[2] / "docs" / "operations.md"

APART, APART_LATER, LET_IN_LATER = (an_item(order, 1, "30.00", "3.00") for order in (88, 77, 6))
ROW, LATER_ROW, LET_IN = (str(row_stream_id("order_items", text)) for text in (APART, APART_LATER, LET_IN_LATER))
"""Rows that the first load keeps apart for good, the second does, and the first does until the second lets it in."""

PERSON, NEW_PERSON, NOBODY = an_id(901), an_id(905), an_id(999)

FIRST: Lines = changed(a_good_extract(), order_items=adding(APART, LET_IN_LATER))
SECOND: Lines = changed(a_later_extract(), order_items=adding(APART, APART_LATER))
THIRD: Lines = changed(SECOND, sellers=replacing("04002", "04003"))


# --- the states -----------------------------------------------------------------------------------------------------


@contextmanager
def killed(point: str, function: Callable[..., Any], calls: int = 0) -> Iterator[None]:
    """Commands end in an error once they have called a function so often; chunks are small."""
    with (
        patch(point, dying_after(calls, function)),
        patch.object(replayhouse.ingest.load, "EVENTS_A_CHUNK", 10),
        patch.object(replayhouse.ingest.retract, "STREAMS_A_CHUNK", 4),
    ):
        yield


LOG = "replayhouse.infra.loads.retraction_log.PostgresRetractionLog"

STAGES: Mapping[str, tuple[str, Callable[..., Any], int]] = {
    "load open, nothing told": ("replayhouse.infra.application.ingest.tell_opening", print, 0),
    "load open, rows apart": ("replayhouse.infra.loads.load_log.PostgresLoadLog.append", PostgresLoadLog.append, 0),
    "load open, half appended": ("replayhouse.infra.loads.load_log.PostgresLoadLog.append", PostgresLoadLog.append, 1),
    "load open, all but its end": ("replayhouse.infra.application.ingest.tell_completion", print, 0),
    "retraction begun": (f"{LOG}.append_rewinds", PostgresRetractionLog.append_rewinds, 0),
    "retraction half done": (f"{LOG}.append_rewinds", PostgresRetractionLog.append_rewinds, 3),
    "retraction, all but its end": (f"{LOG}.finish", PostgresRetractionLog.finish, 0),
}
"""Where the second load, or its retraction, is killed: after so many calls of a function."""

OPEN, RETRACTING = "load open, half appended", "retraction half done"
STATES = {
    "nothing unfinished": "",
    "load open": OPEN,
    "retraction begun": RETRACTING,
    "restore unfinished": "restore unfinished",
    "a load at work": "",
    "a rebuild at work": "",
}
"""The columns of the table, and how their databases are made."""


@dataclass(eq=False)
class States:
    """Databases in each of the states, to be copied."""

    server: EmbeddedServer
    folder: Path
    stack: ExitStack
    _kept: dict[str, Database] = field(default_factory=dict)
    _shared: dict[str, Warehouse] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        lines = (FIRST, SECOND, THIRD)
        self.first, self.second, self.third = (write(self.folder / f"{n}", some) for n, some in enumerate(lines, 1))
        self.loads = [str(load["batch"]) for load in self.warehouse(self.of("")).json("batches")]

    def of(self, stage: str) -> Database:
        """The database of a stage; "" is that of two loads that are done, "first" that of the first alone."""
        if stage not in self._kept:
            self._kept[stage] = self._made(stage)
        return self._kept[stage]

    def _made(self, stage: str) -> Database:
        template = None if stage == "first" else self.of("first" if stage == "" or "load" in stage else "")
        database = self.stack.enter_context(copied(self.server, template))
        warehouse = self.warehouse(database)
        if stage == "first":
            warehouse.ingest(self.first)
            warehouse.json("rebuild", "sales")
            warehouse.json("rebuild", "sales", "--into", "now")
        elif stage == "":
            warehouse.ingest(self.second)
        elif stage == "restore unfinished":
            with database.connect("replayhouse test", autocommit=True) as conn:
                mark(conn)
        else:
            with killed(*STAGES[stage]):
                command = ("ingest", self.second) if "load" in stage else ("retract", self.loads[1], *WHY)
                assert warehouse.run(*command).code == 1
        return database

    @contextmanager
    def shared(self, stage: str) -> Iterator[Warehouse]:
        """A copy for all that change nothing."""
        if stage not in self._shared:
            self._shared[stage] = self.stack.enter_context(self.copy(stage))
        yield self._shared[stage]

    def warehouse(self, database: Database) -> Warehouse:
        """With a home of its own."""
        return Warehouse(database, self.fresh("home"))

    def fresh(self, name: str) -> Path:
        """A path where nothing is."""
        return self.folder / f"{name}-{next(self._numbers)}"

    @cache  # noqa: B019 - the module's tests share the one object
    def shown(self, stage: str) -> Any:
        """What an undisturbed warehouse shows: that of the first load, or with "" of both."""
        with self.copy(stage) as warehouse:
            return shown(warehouse)

    @cached_property
    def backup(self) -> Path:
        """A backup of both loads."""
        path = self.fresh("backup")
        with self.copy("") as warehouse:
            warehouse.json("db", "backup", path)
        return path

    @cached_property
    def signing_key(self) -> Path:
        path = self.fresh("key.pem")
        with self.copy("") as warehouse:
            assert warehouse.run("audit", "keygen", REPLAYHOUSE_SIGNING_KEY=str(path)).code == 0
        return path

    @contextmanager
    def copy(self, stage: str) -> Iterator[Warehouse]:
        with copied(self.server, self.of(stage)) as database:
            yield self.warehouse(database)


@pytest.fixture(scope="module")
def states(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[States]:
    with ExitStack() as stack:
        yield States(server, tmp_path_factory.mktemp("states"), stack)


# --- the ways out ---------------------------------------------------------------------------------------------------


def give_up(warehouse: Warehouse, row: str) -> None:
    """Gives a row up, as a version of the program did that knew nothing of what was under way."""
    store, stream = EventStore(), UUID(row)
    with warehouse.database.connect("replayhouse test", autocommit=True) as conn:
        version = store.streams(conn, "quality", [stream])[stream].last_version
        event = RowDiscarded(MONDAY, "ana", "worth nothing")
        store.append(conn, [Recorded("quality", stream, version + 1, event)], None)


def shown(warehouse: Warehouse) -> Any:
    """What the read models of a warehouse show."""
    apart = warehouse.rows("SELECT file, line, rule, status FROM quality.quarantine ORDER BY file, line")
    return warehouse.digests(READ_MODELS), apart


def must_be_whole(warehouse: Warehouse, wanted: Any) -> None:
    """As an undisturbed one, live and rebuilt; and nothing is in the way of anything."""
    assert shown(warehouse) == wanted
    rebuilt = warehouse.rebuilt_digests()
    assert {context: rebuilt[context] for context in READ_MODELS} == wanted[0]
    assert warehouse.json("audit", "verify")["valid"]
    warehouse.json("quality", "discard", ROW, *WHY)


def way_out(done: Done) -> list[str]:
    """The command that a refusal names."""
    refused(done, 4, "replayhouse retract ")
    [said] = [part.split(" --reason")[0] for part in done.document["error"].split("replayhouse ")[1:]]
    return [*str(said).split(), *WHY]


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_refused_command_names_ends_the_state_as_if_nothing_had_been_killed(stage: str, states: States) -> None:
    wanted = states.shown("first")
    with states.copy(stage) as warehouse:
        named = way_out(warehouse.run("quality", "discard", ROW, *WHY, "--json"))
        assert named == way_out(warehouse.run("ingest", states.third, "--json"))
        warehouse.json(*named)
        must_be_whole(warehouse, wanted)


@pytest.mark.parametrize("stage", [stage for stage in STAGES if "load" in stage])
def test_the_files_of_an_open_load_finish_it(stage: str, states: States) -> None:
    wanted = states.shown("")
    with states.copy(stage) as warehouse:
        done = warehouse.run("quality", "discard", ROW, *WHY, "--json")
        refused(done, 4, f"ingest its files again ({states.second})")
        warehouse.json("ingest", states.second)
        must_be_whole(warehouse, wanted)


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "load open, nothing told"])
def test_a_decision_that_an_earlier_version_let_in_locks_nothing(stage: str, states: States) -> None:
    """One on a row that goes with the load goes with it, and who takes the load back is told so; another one stays."""
    is_rewound_already = stage == "retraction, all but its end"
    row = LET_IN if is_rewound_already else LATER_ROW
    with states.copy("first") as undisturbed:
        if is_rewound_already:
            undisturbed.json("quality", "discard", row, *WHY)
        wanted = shown(undisturbed)
    with states.copy(stage) as warehouse:
        give_up(warehouse, row)
        told = warehouse.json(*way_out(warehouse.run("ingest", states.third, "--json")))
        dropped = [decision["stream_id"] for decision in told.get("decisions", ())]
        assert dropped == ([] if is_rewound_already else [row])
        must_be_whole(warehouse, wanted)


def test_a_decision_that_an_earlier_version_let_in_stays_where_the_load_is_finished(states: States) -> None:
    with states.copy("") as undisturbed:
        undisturbed.json("quality", "discard", LATER_ROW, *WHY)
        wanted = shown(undisturbed)
    with states.copy(OPEN) as warehouse:
        give_up(warehouse, LATER_ROW)
        warehouse.json("ingest", states.second)
        must_be_whole(warehouse, wanted)


@pytest.mark.parametrize("stage", [OPEN, RETRACTING])
def test_a_backup_of_an_unfinished_state_is_restored_and_finished(stage: str, states: States, tmp_path: Path) -> None:
    wanted = states.shown("first")
    backup = tmp_path / "backup"
    with states.copy(stage) as warehouse:
        give_up(warehouse, LATER_ROW)
        warehouse.json("db", "backup", backup)
    with copied(states.server) as database:
        warehouse = Warehouse(database, tmp_path / "home")
        warehouse.json("db", "restore", backup)
        warehouse.json(*way_out(warehouse.run("ingest", states.third, "--json")))
        must_be_whole(warehouse, wanted)


def test_a_restore_that_was_killed_is_ended_by_a_restore(states: States) -> None:
    wanted = states.shown("")
    with states.copy("restore unfinished") as warehouse:
        refused(warehouse.run("quality", "discard", ROW, *WHY, "--json"), 4, "replayhouse db restore")
        warehouse.json("db", "restore", states.backup)
        must_be_whole(warehouse, wanted)


@pytest.mark.parametrize("is_rejected_now", [True, False])
def test_an_open_load_of_another_version_whose_rules_were_others_is_not_gone_on_with(
    is_rejected_now: bool, states: States
) -> None:
    """Else a load that was to be rejected would be completed without an event, or one half appended fail for ever."""

    def rejecting(*arguments: Any) -> Assessed:
        return replace(assess(*arguments), reasons=("by the rules of that version",))

    with states.copy(OPEN if is_rejected_now else "first") as warehouse:
        command = ("ingest", states.second, "--json")
        with patch("replayhouse.infra.application.ingest.assess", rejecting):
            if not is_rejected_now:
                with killed(*STAGES["load open, nothing told"]):
                    assert warehouse.run(*command).code == 1
            else:
                done = warehouse.run(*command)
        if not is_rejected_now:
            done = warehouse.run(*command)
        warehouse.json(*way_out(done))
        assert warehouse.json(*command[:-1])["status"] == "completed"


# --- erasing meanwhile ----------------------------------------------------------------------------------------------


ENDINGS = (
    ("load open, nothing told", "ingest"),
    ("load open, rows apart", "ingest"),
    (OPEN, "retract"),
    (RETRACTING, "retract"),
    ("retraction, all but its end", "retract"),
)


@pytest.mark.parametrize(("stage", "ending"), ENDINGS)
def test_who_is_erased_meanwhile_stays_so(stage: str, ending: str, states: States) -> None:
    """Nobody waits for the files of a lost extract to be forgotten; live and rebuilt agree when it is finished."""
    with states.copy(stage) as warehouse:
        warehouse.json("customer", "erase", "--yes", PERSON, *WHY)
        assert fields_of(warehouse, PERSON) == {("unknown", "unknown")}
        warehouse.json(*(("ingest", states.second) if ending == "ingest" else ("retract", states.loads[1], *WHY)))
        assert fields_of(warehouse, PERSON) == {("unknown", "unknown")}
        must_be_whole(warehouse, shown(warehouse))


def fields_of(warehouse: Warehouse, person: str) -> set[tuple[Any, ...]]:
    """Zip prefix and city of all addresses of a person."""
    return set(warehouse.rows("SELECT zip_prefix, city FROM customer.address_history WHERE customer_id = %s", person))


# --- each command in each state ---------------------------------------------------------------------------------------

Arguments = Callable[[States], tuple[str | Path, ...]]


COMMANDS: Mapping[str, Arguments] = {
    "`ingest`, the same files": lambda states: ("ingest", states.second),
    "`ingest`, other files": lambda states: ("ingest", states.third),
    "`ingest --dry-run`, the same files": lambda states: ("ingest", states.second, "--dry-run"),
    "`ingest --dry-run`, other files": lambda states: ("ingest", states.third, "--dry-run"),
    "`retract`, the newest load": lambda states: ("retract", states.loads[1], *WHY),
    "`retract`, an earlier load": lambda states: ("retract", states.loads[0], *WHY),
    "`retract --cascade`, an earlier load": lambda states: ("retract", states.loads[0], "--cascade", *WHY),
    "`retract --dry-run`, the newest load": lambda states: ("retract", states.loads[1], "--dry-run"),
    "`quality discard`": lambda _: ("quality", "discard", ROW, *WHY),
    "`quality release`": lambda _: ("quality", "release", ROW, "--text", an_item(1, 3, "12.50", "1.00")),
    "`customer erase`": lambda _: ("customer", "erase", "--yes", PERSON, *WHY),
    "`customer erase`, of somebody unknown": lambda _: ("customer", "erase", "--yes", NOBODY, *WHY),
    "`project`": lambda _: ("project",),
    "`rebuild`": lambda _: ("rebuild", "sales"),
    "`rebuild --into`": lambda _: ("rebuild", "sales", "--into", "then"),
    "`revert`": lambda _: ("revert", "sales"),
    "`revisions drop`": lambda _: ("revisions", "drop", "now"),
    "`db backup`": lambda states: ("db", "backup", states.fresh("backup")),
    "`db restore`": lambda states: ("db", "restore", states.backup),
    "`audit checkpoint`": lambda states: ("audit", "checkpoint", states.fresh("checkpoint")),
    "`audit verify`": lambda _: ("audit", "verify"),
    "`status`, `batches`, `digest`, `quality report`": lambda _: ("status",),
}


def cells() -> list[tuple[str, str, str]]:
    """Command, state and what the page says of them."""
    rows = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in PAGE.read_text("utf-8").splitlines()]
    head, *_ = tables = [number for number, row in enumerate(rows) if row[1:] == list(STATES)]
    assert len(tables) == 1, f"{PAGE} has one such table"
    found = []
    for command, *said in rows[head + 2 :]:
        if not said:
            break
        found += [(command, state, cell) for state, cell in zip(STATES, said, strict=True)]
    assert [command for command, state, _ in found if state == "load open"] == list(COMMANDS)
    return found


HELD = {"a load at work": "ingest", "a rebuild at work": "rebuild"}
"""Which lock somebody holds."""


@contextmanager
def held(warehouse: Warehouse, state: str) -> Iterator[None]:
    """Another process is at work, if the state says so; nobody waits for it."""
    with ExitStack() as stack:
        if state in HELD:
            conn = stack.enter_context(warehouse.database.connect("somebody else", autocommit=True))
            stack.enter_context(locks.exclusive(conn, HELD[state]))
            stack.enter_context(patch.object(locks, "LONGEST_WAIT_SECONDS", 0.0))
        yield


WORDS = {
    "load open": "is open: ingest its files again",
    "retraction begun": "is being taken back",
    "restore unfinished": "replayhouse db restore",
    "a load at work": "somebody else",
    "a rebuild at work": "somebody else",
}
"""What a refusal says in a state."""

EARLIER = "`retract`, an earlier load"
"""Refused because later loads stand on it, unless the state is in its way before that."""


@pytest.mark.parametrize(("command", "state", "said"), cells())
def test_a_command_does_in_a_state_what_the_page_says(command: str, state: str, said: str, states: States) -> None:
    is_refused = said != "works"
    with states.shared(STATES[state]) if is_refused else states.copy(STATES[state]) as warehouse:
        head = warehouse.rows("SELECT position FROM event_store.head")
        with held(warehouse, state):
            done = warehouse.run(*COMMANDS[command](states), "--json", REPLAYHOUSE_SIGNING_KEY=str(states.signing_key))
        if not is_refused:
            assert done.code == 0, done
            return
        is_later = command == EARLIER and state not in ("restore unfinished", "a load at work")
        refused(done, int(said), "--cascade" if is_later else WORDS[state] if said == "4" else "")
        assert warehouse.rows("SELECT position FROM event_store.head") == head
