"""All commands in any order, in two homes: in one nobody disturbs them, in the other processes are killed at random.

What is done follows from the seed and from what the undisturbed home holds; when the kills strike, from chance. A
command that was killed is run again until it is done; before that others come, which must do no harm. At the end both
homes hold the same, live and folded again, and the chains are whole.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from replayhouse.ingest.synthetic import generate
from tests.oracle.expected import FILES
from tests.support.cli import Done
from tests.support.crashes import (
    Kill,
    Tell,
    Victim,
    a_backend,
    a_worker,
    has_killed,
    is_plain,
    must_be_empty,
    the_command,
    the_parent,
    the_server,
)
from tests.support.folders import quick_folder
from tests.support.homes import SHARED_WORK, Home
from tests.support.in_process import READ_MODELS
from tests.support.prepared import furnish, unsynced
from tests.support.scenes import Scene, Timeline, complaints, state_of

UNTIL = ("2017-06-30", "2017-12-31", "2018-04-30", "2018-12-31")
"""Ends of the days that the extracts show; the last one shows all orders."""

BAD, GOOD = "free of charge", "10.00"
"""The amount of some payments, as the extracts have it and as a person corrects it."""

BAD_ROWS = 20
MOST_KILLS_IN_A_ROW = 3
IN_SHARED_WORK = {"ingest": "appending", "rebuild": "folding every stream again"}
"""The stage in which processes share the work, by command."""

PERSONS = "SELECT customer_id::text FROM customer.dim_customer WHERE NOT is_anonymized ORDER BY 1"
WHY = ("--reason", "a test")
BACKUP, ERASED = "{folder}/backup", "{home}/erased_subjects.csv"


class Step(NamedTuple):
    """A command, its arguments with `{home}` and `{folder}` for places of the side it is run on.

    `refusal` is what it says, with exit code 2, where it was done already. `replaces` is a file that is removed before.
    """

    arguments: tuple[str, ...]
    refusal: str = ""
    replaces: str = ""
    in_new_home: bool = False

    def __str__(self) -> str:
        return " ".join(self.arguments)


@dataclass
class Side:
    """One of the two homes, and the folder where its backups stand."""

    folder: Path
    prepared: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.home = self.new_home()

    def new_home(self) -> Home:
        """A home that is empty, beside the one in use."""
        home = Home(self.folder / str(next(self._numbers)))
        furnish(home.path, self.prepared)
        return home

    def here(self, step: Step) -> tuple[str, ...]:
        """The arguments of a step on this side, which is ready for it."""
        if step.replaces:
            Path(self._place(step.replaces)).unlink(missing_ok=True)
            Path(self._place(f"{step.replaces}.keys")).unlink(missing_ok=True)
        if ERASED in step.arguments:
            Path(self._place(ERASED)).touch()
        return tuple(map(self._place, step.arguments))

    def _place(self, text: str) -> str:
        return text.replace("{folder}", str(self.folder)).replace("{home}", str(self.home.path))

    def move_to(self, home: Home) -> None:
        """From now on the work is done there, and so the people are listed who were erased."""
        shutil.copy(self._place(ERASED), home.path)
        self.home.remove()
        self.home = home


class Chaos:
    """One run: `play` it."""

    def __init__(self, folder: Path, prepared: Path, orders: int, seed: int, tell: Tell) -> None:
        self._folder = folder
        self._orders = orders
        self._seed = seed
        self._choice = random.Random(seed)
        self._chance = random.Random(f"kills of {seed}")
        self._tell = tell
        self._extracts: list[Path] = []
        self._another = folder / "another"
        generate(self._another, 20, seed + 1, None, 1)
        self.kills = 0
        self.undisturbed, self.disturbed = (Side(folder / name, prepared) for name in ("undisturbed", "disturbed"))

    def play(self, steps: int, most_kills: int = MOST_KILLS_IN_A_ROW) -> None:
        """Runs so many commands on both sides; AssertionError where they come to other ends."""
        for number, step in enumerate(self._steps(steps), 1):
            self._tell(f"{number}. {step}")
            done, timeline = self._undisturbed(step)
            self._disturbed(step, done, timeline, most_kills)
            self._compare(str(step))
        self._check()

    def remove(self) -> None:
        """Ends both servers."""
        for side in (self.undisturbed, self.disturbed):
            side.home.remove()

    # --- what is done ---------------------------------------------------------------------------------------------

    def _steps(self, number: int) -> Iterator[Step]:
        choices: list[tuple[Callable[[], Iterator[Step]], int]] = [
            (self._generate, 2),
            (self._ingest, 6),
            (self._reject, 1),
            (self._retract, 3),
            (self._release, 3),
            (self._discard, 2),
            (self._erase, 2),
            (lambda: iter([Step(("rebuild",))]), 2),
            (self._revert, 1),
            (lambda: iter([Step(("project",))]), 1),
            (self._look_back, 2),
            (self._restore, 2),
        ]
        yield from self._generate()
        yield from self._ingest()
        for _ in range(number):
            [choose] = self._choice.choices([c for c, _ in choices], [weight for _, weight in choices])
            yield from choose()

    def _generate(self) -> Iterator[Step]:
        """An extract of another day; some rows of it are bad, and some are of orders that come later."""
        until = UNTIL[len(self._extracts) % len(UNTIL)]
        path = self._folder / f"{len(self._extracts)}-{until}"
        size = ("--orders", str(self._orders), "--seed", str(self._seed))
        yield Step(("generate", str(path), *size, "--until", until, "--force"))
        orders = [line.partition(",")[0] for line in _lines(path, "orders")]
        bad = self._choice.sample(orders, min(BAD_ROWS, len(orders)))
        _add(path, "order_payments", [f"{order},9,boleto,1,{BAD}" for order in bad])
        if self._extracts:
            known = set(_lines(path, "order_items"))
            other = [line for line in _lines(self._extracts[-1], "order_items") if line not in known]
            _add(path, "order_items", other[:BAD_ROWS])
        self._extracts.append(path)

    def _ingest(self) -> Iterator[Step]:
        yield Step(("ingest", str(self._choice.choice(self._extracts))))

    def _reject(self) -> Iterator[Step]:
        harmed = self._folder / f"harmed-{self._choice.randrange(10**6)}"
        shutil.copytree(self._extracts[0], harmed)
        _add(harmed, "orders", ['"no end'])
        yield Step(("ingest", str(harmed)))

    def _retract(self) -> Iterator[Step]:
        loads = [load["batch"] for load in self._told("batches") if load["status"] == "completed"]
        if loads:
            yield Step(("retract", self._choice.choice(loads[-3:]), "--cascade", *WHY), "taken back already")

    def _release(self) -> Iterator[Step]:
        for row in self._rows():
            text = ("--text", row["text"].replace(BAD, GOOD)) if row["text"] else ()
            yield Step(("quality", "release", row["row"], *text, *WHY), "is released already")

    def _discard(self) -> Iterator[Step]:
        for row in self._rows():
            yield Step(("quality", "discard", row["row"], *WHY), "is discarded already")

    def _rows(self) -> list[dict[str, str]]:
        """A row that is kept apart, if there is one."""
        rows = self._told("quality", "quarantine")
        return [self._choice.choice(rows)] if rows else []

    def _erase(self) -> Iterator[Step]:
        people = self.undisturbed.home.warehouse().rows(PERSONS)
        if people:
            yield Step(("customer", "erase", "--yes", str(self._choice.choice(people)[0]), *WHY))

    def _revert(self) -> Iterator[Step]:
        yield Step(("rebuild", "sales"))
        yield Step(("revert", "sales"))

    def _look_back(self) -> Iterator[Step]:
        head = self._told("status")["position"]
        yield Step(("rebuild", "--to-position", str(self._choice.randint(0, head)), "--into", "then"))

    def _restore(self) -> Iterator[Step]:
        yield Step(("db", "backup", BACKUP), replaces=BACKUP)
        yield Step(("db", "restore", BACKUP, "--erased", ERASED), "is not empty", in_new_home=True)

    def _told(self, *arguments: str) -> Any:
        return self.undisturbed.home.warehouse().json(*arguments)

    # --- how it is done -------------------------------------------------------------------------------------------

    def _undisturbed(self, step: Step) -> tuple[Done, Timeline]:
        side = self.undisturbed
        with self._place(side, step) as home:
            command = home.start(*side.here(step), "--json", **SHARED_WORK)
            done = command.result()
            timeline = Timeline.of(command)
            assert done.code == 0 or is_plain(done), f"{step}: exit code {done.code}\n{done.err}"
            return done, timeline

    def _disturbed(self, step: Step, expected: Done, timeline: Timeline, most_kills: int) -> None:
        """Kills and runs again, and ends as the undisturbed one; a command that is refused there is refused here."""
        side = self.disturbed
        with self._place(side, step) as home:
            scene = Scene(home, (*side.here(step), "--json"), timeline, {}, step.refusal)
            for _ in range(self._chance.randint(0, most_kills) if expected.code == 0 else 0):
                side.here(step)
                if not has_killed(self._kill(step, timeline), scene, home, SHARED_WORK, self._chance, self._tell, 0.9):
                    break
                self.kills += 1
                self._come_between(home)
            side.here(step)
            done = home.run(*scene.arguments, **SHARED_WORK)
        is_done = scene.is_done(done) if expected.code == 0 else done.code == expected.code
        assert is_done, f"{step}: exit code {done.code} instead of {expected.code}\n{done.err}\n{expected.err}"
        if "--into" in step.arguments:
            assert _digests_of(done) == _digests_of(expected), step

    @contextmanager
    def _place(self, side: Side, step: Step) -> Iterator[Home]:
        """Where a step is run; a new home is the side's home afterwards."""
        if not step.in_new_home:
            yield side.home
            return
        home = side.new_home()
        yield home
        side.move_to(home)
        with side.home.connected() as conn:
            unsynced(conn)

    def _kill(self, step: Step, timeline: Timeline) -> Kill:
        victims: list[Victim] = [the_command]
        if len(timeline.stages) > 1 and step.arguments[0] != "generate":
            victims += [the_server, a_backend]
        stage = IN_SHARED_WORK.get(step.arguments[0])
        if stage in [name for name, _ in timeline.stages]:
            victims += [a_worker, the_parent]
        victim = self._chance.choice(victims)
        return Kill(victim, stage if victim in (a_worker, the_parent) else None)

    def _come_between(self, home: Home) -> None:
        """Somebody else uses what a killed command has left: what could do harm there is refused."""
        status = home.run("status", "--json")
        if status.code != 0:
            assert is_plain(status), status.err
            return
        harmless = [("project",), ("rebuild", "sales"), ("audit", "verify"), ("status",)]
        refused: list[tuple[str, ...]] = []
        if any(load["status"] in ("open", "retracting") for load in status.document["batches"]):
            rows = home.warehouse().rows("SELECT row_id::text FROM quality.quarantine ORDER BY 1 LIMIT 3")
            refused += [("quality", decision, str(row), *WHY) for (row,) in rows for decision in ("discard", "release")]
            refused += [("ingest", str(self._another), *dry) for dry in ((), ("--dry-run",))]
        command = self._chance.choice([*harmless, *refused])
        done = home.run(*command)
        self._tell(f"    {' '.join(command)}: exit code {done.code}")
        assert done.code == (4 if command in refused else 0), f"{command}: {done.code}\n{done.err}"

    # --- what comes of it -----------------------------------------------------------------------------------------

    def _compare(self, after: str) -> None:
        live = [side.home.warehouse().digests(READ_MODELS) for side in (self.undisturbed, self.disturbed)]
        assert live[0] == live[1], f"after {after}: {_differing(*live)}"

    def _check(self) -> None:
        expected = state_of(self.undisturbed.home)
        must_be_empty(complaints(self.disturbed.home, expected))
        must_be_empty(complaints(self.undisturbed.home, expected))
        for side in (self.undisturbed, self.disturbed):
            live = side.home.warehouse().digests()
            rebuilt = side.home.warehouse().rebuilt_digests()
            assert {context: rebuilt[context] for context in live} == live, _differing(rebuilt, live)
            assert side.home.warehouse().json("audit", "verify")["valid"]


@contextmanager
def chaos(prepared: Path, orders: int, seed: int, tell: Tell) -> Iterator[Chaos]:
    """A run that is ready to be played; nothing of it is left afterwards."""
    tell(f"Chaos of {orders:,} orders. To repeat, seed {seed}")
    with quick_folder() as folder:
        played = Chaos(folder, prepared, orders, seed, tell)
        try:
            yield played
        finally:
            played.remove()


def _digests_of(done: Done) -> dict[str, Any]:
    contexts = done.document["contexts"]
    return {
        context: {name: table["digest"] for name, table in contexts[context]["tables"].items()}
        for context in READ_MODELS
    }


def _differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [
        f"{context}.{table}"
        for context in one
        for table in one[context]
        if one[context][table] != other[context][table]
    ]


def _lines(extract: Path, file: str) -> list[str]:
    return (extract / FILES[file]).read_text(encoding="utf-8").splitlines()[1:]


def _add(extract: Path, file: str, lines: list[str]) -> None:
    with (extract / FILES[file]).open("a", encoding="utf-8", newline="") as out:
        out.writelines(f"{line}\n" for line in lines)
