"""Makes what is generated from the event classes, or with `--check` says what of it is out of date.

Ends with 1 where a contract is broken, or with `--check` where a file is not as it would be made.
"""

import argparse
import sys
from pathlib import Path

from replayhouse.infra.contracts.files import made_files, publish, stale_files
from replayhouse.infra.contracts.revisions import BrokenContract

ROOT = Path(__file__).resolve().parents[2]  # the folder, not the link to it


def main() -> int:
    """Makes or checks the files of the repository that this module stands in."""
    parser = argparse.ArgumentParser(prog="python -m replayhouse.infra.contracts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, say what is out of date")
    check: bool = parser.parse_args().check
    try:
        files = made_files(ROOT)
        added = [] if check else publish(ROOT)
    except BrokenContract as broken:
        print(broken, file=sys.stderr)
        return 1
    stale = stale_files(ROOT, files)
    for path in (*added, *stale):
        print(f"{'out of date' if check else 'written'}: {path.relative_to(ROOT)}")
    if not check:
        for path in stale:
            write(path, files.get(path))
    if check and stale:
        print("Run `make contracts`, look at what it changes, and commit it.", file=sys.stderr)
    return 1 if check and stale else 0


def write(path: Path, text: str | None) -> None:
    """Writes a file, or removes it where there is no text for it any more."""
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
