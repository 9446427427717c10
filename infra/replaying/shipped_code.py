"""The program as a file that other machines can import: what executors of a cluster run is what sent them the work."""

import os
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_SAME_TIME = (1980, 1, 1, 0, 0, 0)


def code_as_zip(folder: Path) -> Path:
    """Writes the modules of the program, and nothing else of it, into a new file in a folder. Same code, same name.

    Links are followed: in the repository the import package consists of them.
    """
    package = Path(sys.modules[__name__.partition(".")[0]].__path__[0])
    modules = [(path.relative_to(package.parent).as_posix(), path.read_bytes()) for path in _modules(package)]
    seen = sha256()
    for name, code in modules:
        seen.update(f"{name} {len(code)}\n".encode() + code)
    target = folder / f"replayhouse-{seen.hexdigest()[:16]}.zip"
    with ZipFile(target, "w", ZIP_DEFLATED) as file:
        for name, code in modules:
            file.writestr(ZipInfo(name, _SAME_TIME), code, ZIP_DEFLATED)
    return target


def _modules(package: Path) -> Iterator[Path]:
    for above, folders, files in os.walk(package, followlinks=True):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        yield from (Path(above, name) for name in sorted(files) if name.endswith(".py"))
