"""What was published: every revision of every contract, in a file of its own that is never changed again.

An event's type and version has one contract. While its class lives, the contract follows the class, and each change
that readers on both sides can bear (compatibility.py) is one more revision. Once the class has gone on to the next
version, the last revision stays: the log holds such events for ever, and no class knows their shape any more.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from replayhouse.infra.contracts.compatibility import Schema, breaks
from replayhouse.infra.contracts.headers import NAME as HEADERS
from replayhouse.infra.contracts.headers import as_read_by
from replayhouse.infra.event_store.serialization.registry import REGISTRY, Registry
from replayhouse.infra.runtime.errors import ReplayhouseError

FOLDER = "revisions"


class BrokenContract(ReplayhouseError):  # noqa: N818 - the name says what is the matter
    """A contract was changed in a way that its readers cannot bear, or what was published is not there any more."""


class Revisions:
    """The published revisions in a folder, by the name of their contract, the oldest first."""

    def __init__(self, contracts: Path) -> None:
        self._folder = contracts / FOLDER
        self._found: dict[str, dict[int, Schema]] = {}
        for path in sorted(self._folder.rglob("*.json")):
            dotted = path.relative_to(self._folder).with_suffix("").as_posix().replace("/", ".")
            name, _, number = dotted.rpartition(".r")
            if not (name and number.isdecimal()):
                raise BrokenContract(f"{path} is no revision of anything.")
            self._found.setdefault(name, {})[int(number)] = json.loads(path.read_text(encoding="utf-8"))
        for name, numbered in self._found.items():
            if sorted(numbered) != list(range(1, len(numbered) + 1)):
                raise BrokenContract(f"Of {name} a published revision is missing: {self._folder} is only added to.")

    @property
    def names(self) -> set[str]:
        """The names of all contracts that were ever published."""
        return set(self._found)

    def of(self, name: str) -> list[Schema]:
        """The revisions of a contract; nothing if it was never published."""
        numbered = self._found.get(name, {})
        return [numbered[number] for number in sorted(numbered)]

    def path_of(self, name: str, number: int) -> Path:
        """Where a revision stands."""
        return self._folder / f"{file_of(name)}.r{number}.json"

    def publish(self, name: str, schema: Schema) -> Path | None:
        """Adds a revision where it differs from the last one; its path."""
        published = self.of(name)
        if published and published[-1] == schema:
            return None
        path = self.path_of(name, len(published) + 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(in_text(schema), encoding="utf-8")
        self._found.setdefault(name, {})[len(published) + 1] = schema
        return path


def file_of(name: str) -> str:
    """Below which path, without its suffix, a contract stands: `sales/OrderPlaced.v1`; `headers`."""
    return name.replace(".", "/", 1)


def in_text(schema: Schema) -> str:
    """A document as it is checked in."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def contracts_in_force(
    made: Mapping[str, Schema], revisions: Revisions, registry: Registry = REGISTRY
) -> dict[str, Schema]:
    """All contracts by name: those `made` from the code, and behind each the older versions that no class makes.

    Raises BrokenContract if one of them cannot stand beside what was published, naming field and remedy.
    """
    older = {
        f"{topic.rpartition('.v')[0]}.v{version}": topic
        for (_, event_type), topic in registry.topics.items()
        for version in range(1, event_type.version)
    }
    wrong = [
        f"{name} was recorded once and has no published revision: take {revisions.path_of(name, 1)} from the program "
        "that still recorded it."
        for name in older
        if not revisions.of(name)
    ]
    wrong += [
        f"{name} was published, and nothing makes it any more: the log holds such events, so its class stays, or "
        "goes on to its next version."
        for name in sorted(revisions.names - set(made) - set(older))
    ]
    for name, schema in made.items():
        wrong += _broken(name, schema, revisions)
    if wrong:
        raise BrokenContract("\n".join(wrong))
    found: dict[str, Schema] = {}
    for name, schema in made.items():
        found[name] = schema
        found |= {past: revisions.of(past)[-1] for past, topic in older.items() if topic == name}
    return found


def _broken(name: str, schema: Schema, revisions: Revisions) -> list[str]:
    """What is wrong with a contract, told for people; each field once, against the oldest revision that it breaks."""
    told: dict[tuple[str, str], int] = {}
    for number, published in enumerate(revisions.of(name), start=1):
        for one in breaks(published, as_read_by(published, schema) if name == HEADERS else schema):
            told.setdefault((one.field, one.why), number)
    if not told:
        return []
    lines = [f"{name} cannot stand beside what was published of it:"]
    lines += [f"  {field or 'the whole'} (since revision {number}): {why}." for (field, why), number in told.items()]
    return [*lines, _remedy(name, revisions)]


def _remedy(name: str, revisions: Revisions) -> str:
    newest = revisions.path_of(name, len(revisions.of(name)))
    if "." not in name:
        return "  Headers have no versions: leave what is there, and add another header that need not be there."
    event, _, version = name.rpartition(".v")
    return (
        f"  What to do: leave {name} as it is and give the event its next version: `version: ClassVar[int] = "
        f'{int(version) + 1}` in its class, an upcaster for ("{event}", {version}) in '
        "infra/event_store/serialization/registry.py, then "
        f"`python -m tests.golden` and `make contracts`. (Only if {newest.name} never left this machine: remove it.)"
    )
