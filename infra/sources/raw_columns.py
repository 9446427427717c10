"""Where the columns that a mapping names stand among those that a file has."""

from collections.abc import Sequence
from typing import NamedTuple

from replayhouse.infra.sources.document import RawFile
from replayhouse.infra.sources.names import plain_name
from replayhouse.infra.staging.reader import LONGEST_QUOTATION, RefusedError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


class Found(NamedTuple):
    """The place of each column that is read, None where the file lacks it; names of others that it has."""

    places: dict[str, int | None]
    unused: tuple[str, ...]

    @property
    def absent(self) -> tuple[str, ...]:
        """The optional columns that the file lacks."""
        return tuple(name for name, place in self.places.items() if place is None)


def find_columns(names: Sequence[str], file: RawFile) -> Found:
    """Finds the columns by the names in a header, whatever their case and the blanks around them.

    Raises RefusedError where one is missing that is not optional, or stands there twice.
    """
    plain = [plain_name(name) for name in names]
    wanted = {plain_name(name): name for name in file.columns}
    if twice := [wanted[name] for name in wanted if plain.count(name) > 1]:
        raise RefusedError("columns_present", f"the header names {twice[0]!r} twice", line=1)
    if missing := missing_columns(names, file):
        what = "column" if len(missing) == 1 else "columns"
        found = _told(names, wanted, file) + _other_separator(names, file)
        raise RefusedError("columns_present", f"it lacks the {what} {', '.join(missing)} (found: {found}", line=1)
    places = {name: plain.index(key) if key in plain else None for key, name in wanted.items()}
    unused = (name.strip() for name, key in zip(names, plain, strict=True) if key and key not in wanted)
    return Found(places, tuple(unused))


def missing_columns(names: Sequence[str], file: RawFile) -> list[str]:
    """The columns that no header may lack, and this one does."""
    plain = {plain_name(name) for name in names}
    return [name for name in file.columns if name not in file.optional and plain_name(name) not in plain]


def _told(names: Sequence[str], wanted: dict[str, str], file: RawFile) -> str:
    """The names of a header; of a file without one they are its first record, of which what is personal is not told."""
    told = [name.strip() if plain_name(name) in wanted or not file.personal else "(not quoted)" for name in names]
    told = [name if len(name) <= LONGEST_QUOTATION else "(too long)" for name in told]
    return ", ".join([*told[:LONGEST_QUOTATION], *(["..."] if len(told) > LONGEST_QUOTATION else [])] or ["nothing"])


def _other_separator(names: Sequence[str], file: RawFile) -> str:
    """The end of that sentence, with what stands between the names where it is not the delimiter."""
    for separator, told in SEPARATORS.items():
        parted = [part for name in names for part in name.split(separator)]
        if file.kind == "csv" and len(parted) > len(names) and not missing_columns(parted, file):
            return f"): its names are separated by {told}: write delimiter = {separator!r}"
    return ")"
