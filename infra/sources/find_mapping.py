"""The mapping that a person names: a folder of their own, or one that comes with the program."""

from importlib.resources import files
from pathlib import Path
from typing import cast

from replayhouse.infra.runtime.errors import Unknown
from replayhouse.infra.sources.mapping import Mapping, read_mapping
from replayhouse.infra.sources.names import meant


def shipped() -> dict[str, Path]:
    """The folders of the mappings that come with the program, by name."""
    room = cast(Path, files("replayhouse.infra.sources") / "shipped")
    return {folder.name: folder for folder in sorted(room.iterdir()) if (folder / "source.toml").is_file()}


class NoMapping(Unknown):
    """What is named is no mapping."""


def find_mapping(named: str) -> Mapping:
    """Reads the mapping in the folder of that path, or the shipped one of that name.

    Raises NoMapping where there is neither, UsageError for what is wrong in it.
    """
    known = shipped()
    if Path(named).is_dir():
        return read_mapping(Path(named))
    if named in known:
        return read_mapping(known[named])
    raise NoMapping(f"{named} is neither the folder of a mapping nor the name of a shipped one: {meant(named, known)}")
