"""The files of an extract that a mapping names: found by their patterns, copied or unpacked, and hashed meanwhile, as
the nine files are (infra/staging/extract.py).
"""

from fnmatch import fnmatchcase
from pathlib import Path

from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.sources.mapping import Mapping
from replayhouse.infra.staging.extract import Extract, Limits, Sought, open_extract, refuse_what_is_none

LIMITS = Limits(max_ratio=200)
"""Exports of shops have many columns that are mostly empty: they pack tighter than the nine files."""
NAMES_TOLD = 12


def open_raw_extract(mapping: Mapping, path: Path, directory: Path) -> Extract:
    """Copies into `directory`/unpacked the one file that fits each pattern; its keys are those of [files].

    A file that is not required may be absent. Raises InputError where none fits another pattern, where two fit one, or
    one file fits two patterns, and for all that open_extract refuses.
    """
    extract = open_extract(path, directory, LIMITS, _sought(mapping))
    for key, file in mapping.files.items():
        if file.required and key not in extract.files:
            raise InputError(f"{path} holds no file that fits {file.path} (files.{key}), but {_told(extract)}.")
    return extract


def refuse_what_is_no_raw_extract(mapping: Mapping, path: Path) -> None:
    """Raises InputError where a path holds no file that the mapping names; looks at names only."""
    refuse_what_is_none(path, _sought(mapping))


def _sought(mapping: Mapping) -> Sought:
    patterns = {key: file.path for key, file in mapping.files.items()}
    needed = ", ".join(file.path for file in mapping.files.values() if file.required)
    others = ", ".join(file.path for file in mapping.files.values() if not file.required)
    return Sought(
        key_of=lambda name: _key_of(name, patterns),
        copy_of=lambda key: key,
        twice=lambda key: f"two files that fit {patterns[key]} (files.{key})",
        one=f"one of the files of {mapping.source.name}",
        none=f"none of the files of {mapping.source.name}",
        expected=f"An extract of {mapping.source.name} holds {needed}{others and f', and perhaps {others}'}.",
    )


def _key_of(name: str, patterns: dict[str, str]) -> str | None:
    keys = [key for key, pattern in patterns.items() if fnmatchcase(_plain(name), _plain(pattern))]
    if len(keys) > 1:
        told = " and ".join(f"{patterns[key]} (files.{key})" for key in keys[:2])
        raise InputError(f"{name} fits {told}: make these patterns narrower.")
    return keys[0] if keys else None


def _plain(name: str) -> str:
    return name.lower().removesuffix(".gz")


def _told(extract: Extract) -> str:
    names = sorted([*(file.name for file in extract.files.values()), *extract.passed_over])
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return ", ".join(names[:NAMES_TOLD]) + more
