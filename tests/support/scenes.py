"""Scenes for crash tests: a command, the home that it works on, and what an undisturbed run of it leaves behind.

They are made once a session, by whichever process of pytest-xdist comes first; the others wait for it.
"""

import json
import random
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from replayhouse.ingest.synthetic import generate
from tests.oracle.expected import FILES
from tests.support.cli import CONTEXTS, Done
from tests.support.homes import IN_SMALL_STEPS, SHARED_WORK, Command, Home
from tests.support.prepared import unsynced

# How many earlier revisions are kept depends on how often a rebuild was done.
SCHEMAS = """
    SELECT nspname FROM pg_namespace
    WHERE nspname !~ '^pg_|^information_schema$' AND nspname NOT IN (
        SELECT format('%%s_r%%s', context, revision) FROM read_model.revision
        WHERE live_at IS NOT NULL AND dropped_at IS NULL
    )
    ORDER BY 1
"""

# Left out are what differs from run to run: recorded times, positions, keys and what they seal, the numbers of loads
# (a killed server skips some) and owners; and what tells of how far something is, which status is asked for.
TABLES = """
    SELECT format('%%I.%%I', table_schema, table_name),
        string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
    FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
    WHERE table_schema = ANY(ARRAY['event_store', 'quality', 'shared']) AND t.table_type = 'BASE TABLE'
        AND c.data_type NOT IN ('timestamp with time zone', 'bytea')
        AND column_name NOT IN ('position', 'notification_id', 'batch_seq', 'owner') AND c.is_identity = 'NO'
        AND NOT (table_schema = 'quality' AND data_type LIKE 'timestamp%%')
        AND NOT (table_schema = 'event_store' AND column_name = 'seq')
        AND table_name NOT IN ('head', 'commit', 'schema_version', 'store', 'lock', 'verification', 'access', 'token',
            'backup', 'restore_drill')
    GROUP BY table_schema, table_name
    ORDER BY 1
"""
FINGERPRINT = """
    SELECT format('%%s rows, %%s', count(*), md5(string_agg(r::text, E'\\n' ORDER BY r::text COLLATE "C")))
    FROM (SELECT {} FROM {}) AS r
"""

MADE = "scenes.json"
FIRST, SECOND = "first.csv", "second.csv"
ORDERS = 700
SEED = 5
FIRST_UNTIL = datetime(2017, 12, 31, 23, 59, 59)


class Moment(NamedTuple):
    """So many seconds after a command has told of a stage, or after its start where that is empty."""

    stage: str
    delay: float

    def __str__(self) -> str:
        return f"{self.delay:.3f} s after {self.stage or 'the start'!r}"


@dataclass(frozen=True)
class Timeline:
    """When each stage of an undisturbed run began, and when the run ended, in seconds."""

    stages: list[tuple[str, float]]
    end: float

    @classmethod
    def of(cls, command: Command) -> "Timeline":
        """The timeline of a command that has just ended."""
        return cls([("", 0.0), *command.stages], time.monotonic() - command.started)

    def moment(self, chance: random.Random, *, at_work: bool) -> Moment:
        """A moment, all equally likely: told from the stage that it falls into, for no two runs are equally quick.

        `at_work`: not before the first stage that it tells of, for until then it has no connections.
        """
        at = chance.uniform(self.stages[1][1] if at_work else 0.0, self.end)
        stage, began = next((stage, began) for stage, began in reversed(self.stages) if began <= at)
        return Moment(stage, at - began)

    def moment_within(self, stage: str, chance: random.Random) -> Moment:
        """A moment of one stage."""
        ends = [began for _, began in self.stages[1:]] + [self.end]
        spans = zip(self.stages, ends, strict=True)
        began, end = next((began, end) for (name, began), end in spans if name == stage)
        return Moment(stage, chance.uniform(0.0, end - began))


@dataclass(frozen=True)
class Scene:
    """A command, the stopped home that a copy of is given to it, and what an undisturbed run of it is like.

    A command that can be done once says `refusal` when it is run again, and exits with 2.
    """

    home: Home
    arguments: tuple[str, ...]
    timeline: Timeline
    expected: dict[str, str]
    refusal: str = ""

    def is_done(self, done: Done) -> bool:
        """Whether a run of the command came to its end, or an earlier one had."""
        return done.code == 0 or (done.code == 2 and bool(self.refusal) and self.refusal in done.err)


class Scenes:
    """All scenes, and the extracts that they use."""

    def __init__(self, folder: Path, scenes: dict[str, Scene]) -> None:
        self.first, self.second = folder / FIRST, folder / SECOND
        self._scenes = scenes

    def __getitem__(self, name: str) -> Scene:
        return self._scenes[name]

    @property
    def names(self) -> Collection[str]:
        """What may be asked for."""
        return self._scenes.keys()


# --- what stands in the database --------------------------------------------------------------------------------


def state_of(home: Home) -> dict[str, str]:
    """All that an undisturbed run and a disturbed one must agree in, by name."""
    warehouse = home.warehouse()
    state = {
        f"digest of {context}.{table}": digest
        for context, tables in warehouse.digests(CONTEXTS).items()
        for table, digest in tables.items()
        if context != "quality"
    }
    state |= {f"events of {context}": str(events) for context, events in warehouse.events().items()}
    for table, columns in warehouse.rows(TABLES):
        state[f"rows of {table}"] = str(warehouse.rows(FINGERPRINT.format(columns, table))[0][0])
    state["schemas"] = ", ".join(str(name) for (name,) in warehouse.rows(SCHEMAS))
    return state


def complaints(home: Home, expected: dict[str, str]) -> list[str]:
    """What does not hold of a home whose commands are all done."""
    warehouse = home.warehouse()
    found = state_of(home)
    said = [
        f"{name}: {found.get(name)} instead of {expected.get(name)}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]
    verified = warehouse.run("audit", "verify")
    if verified.code != 0:
        said.append(f"audit verify: {verified.out}{verified.err}")
    status = warehouse.json("status")
    said += [f"{context}: {told}" for context, told in status["contexts"].items() if told["lag"] or told["parked"]]
    said += [
        f"the load {load['name']} is {load['status']}"
        for load in status["batches"]
        if load["status"] in ("open", "retracting")
    ]
    said += [f"{left} is left" for left in (home.path / "staging").glob("*")]
    return said


# --- their making -----------------------------------------------------------------------------------------------


def make_scenes(folder: Path, orders: int = ORDERS, program: str | Sequence[str] = IN_SMALL_STEPS) -> None:
    """Runs all scenes once, without disturbance, one on what the other has left, for `read_scenes`."""
    folder.mkdir(parents=True)
    first, second = _extracts(folder, orders)
    made: dict[str, dict[str, Any]] = {}
    home = Home(folder / "at-work", program)
    home.path.mkdir()

    def play(name: str, *arguments: str, refusal: str = "") -> None:
        home.save(folder / name)
        timeline = Timeline.of(home.succeed(*arguments, **SHARED_WORK))
        expected = state_of(home)
        made[name] = {"arguments": arguments, "timeline": asdict(timeline), "expected": expected, "refusal": refusal}

    play("beginning", "ingest", str(first))
    with home.connected() as conn:
        unsynced(conn)
    play("second load", "ingest", str(second))
    play("rebuild", "rebuild", "--workers", "2")
    *_, newest = home.warehouse().json("batches")
    play("retraction", "retract", newest["batch"], "--reason", "a test", refusal="taken back already")
    home.remove()
    home = Home(folder / "second load", program).save(folder / "at-work")
    home.succeed("ingest", str(second), "--no-project")
    play("project", "project")
    home.remove()
    home.path.mkdir()
    home.succeed("db", "start")
    with home.connected() as conn:
        unsynced(conn)
    play("first load", "ingest", str(first))
    home.remove()
    (folder / MADE).write_text(json.dumps(made))


def read_scenes(folder: Path, program: str | Sequence[str] = IN_SMALL_STEPS) -> Scenes:
    """What `make_scenes` has made there, to be played by the same program."""
    told: dict[str, dict[str, Any]] = json.loads((folder / MADE).read_text())
    return Scenes(
        folder,
        {
            name: Scene(
                Home(folder / name, program),
                tuple(scene["arguments"]),
                Timeline([(stage, began) for stage, began in scene["timeline"]["stages"]], scene["timeline"]["end"]),
                scene["expected"],
                scene["refusal"],
            )
            for name, scene in told.items()
        },
    )


def _extracts(folder: Path, orders: int) -> tuple[Path, Path]:
    """An extract and a later one; some rows of the first pass only in the second, some pass in neither."""
    first, second = folder / FIRST, folder / SECOND
    generate(first, orders, SEED, FIRST_UNTIL, 1)
    generate(second, orders, SEED, None, 1)
    items, payments = FILES["order_items"], FILES["order_payments"]
    known = set((first / items).read_text().splitlines())
    early = [line for line in (second / items).read_text().splitlines() if line not in known][:100]
    _add(first / items, early)
    for extract in (first, second):
        _add(extract / payments, [f"{number:032x},1,boleto,1,free of charge" for number in range(100)])
    return first, second


def _add(path: Path, lines: list[str]) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in lines)
