"""The engine for who has a cluster: parts are Spark's tasks, and each executor writes the files of its parts.

What a task wrote counts when the manifest names it. So a task may be done again, by another executor, while the first
one still writes: the files of each attempt have names of their own, and what came of the one that Spark takes is told
to the driver. Executors need the folders of log and output, and the packages of the program; its code is sent to them.
"""

import base64
import json
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from replayhouse.infra.replaying.folding import Folded
from replayhouse.infra.replaying.keys import KeysFrom, KeysOfDatabase
from replayhouse.infra.replaying.parts import Part
from replayhouse.infra.replaying.replay import Job, fold_part
from replayhouse.infra.replaying.shipped_code import code_as_zip
from replayhouse.infra.replaying.spark_context import is_here, password_cannot_travel, spark_context
from replayhouse.infra.runtime.errors import ReplayhouseError

_LOOK_SECONDS = 0.2
_MARK = re.compile(r"<<replayhouse ([A-Za-z0-9+/=]+)>>")


class Spark:
    """Folds parts by the executors of a master, such as `local[4]` or `spark://host:7077`."""

    def __init__(self, master: str) -> None:
        self._master = master

    def __call__(self, job: Job, parts: Sequence[Part], folder: Path) -> Iterator[Folded]:
        """What came of each part, as it is done. Raises what `fold_range` raises, and what `spark_context` does."""
        if not parts:
            return
        keys, environment = apart(job.keys, here=is_here(self._master))
        folder = folder.absolute()
        with spark_context(self._master, environment) as spark, TemporaryDirectory(prefix="replayhouse-") as sent:
            spark.addPyFile(str(code_as_zip(Path(sent))))
            done = spark.accumulator([], _Gathered())
            work = _Work(replace(job, keys=keys), folder, done)
            tasks = spark.parallelize(parts, len(parts))
            for folded in _gathered(lambda: tasks.foreach(work), done, len(parts)):
                refuse_missing(folded, folder)
                yield folded


def apart(keys: KeysFrom | None, *, here: bool) -> tuple[KeysFrom | None, dict[str, str]]:
    """The place of keys without its password, and the variables by which executors of this machine have that."""
    if not isinstance(keys, KeysOfDatabase):
        return keys, {}
    from psycopg import conninfo

    given = conninfo.conninfo_to_dict(keys.url)
    secrets = {name: value for name, value in given.items() if "password" in name}
    if not secrets:
        return keys, {}
    if not here or secrets.keys() != {"password"}:
        raise password_cannot_travel()
    others = {name: value for name, value in given.items() if name not in secrets}
    return KeysOfDatabase(conninfo.make_conninfo("", **others)), {"PGPASSWORD": str(secrets["password"])}


@dataclass(frozen=True)
class _Work:
    """What an executor does with a part."""

    job: Job
    folder: Path
    done: Any

    def __call__(self, part: Part) -> None:
        from pyspark import TaskContext

        attempt = TaskContext.get().taskAttemptId()  # no other attempt of this replay has it, of whatever stage
        try:
            folded = fold_part(self.job, self.folder, part, attempt)
        except (ReplayhouseError, OSError) as error:
            raise RuntimeError(f"{error} {marked(error)}") from error
        self.done.add([folded])


class _Gathered:
    """How Spark adds up what tasks tell: the lists one after the other. Of a task that is done twice, it adds one."""

    def zero(self, value: list[Folded]) -> list[Folded]:
        return []

    def addInPlace(self, one: list[Folded], other: list[Folded]) -> list[Folded]:  # noqa: N802 - Spark's name
        one.extend(other)
        return one


def _gathered(run: Any, done: Any, parts: int) -> Iterator[Folded]:
    """Runs the job in a thread; hands out what is told meanwhile, so that whoever waits sees it come."""
    ended = threading.Event()
    failures: list[BaseException] = []

    def job() -> None:
        try:
            run()
        except BaseException as error:
            failures.append(error)
        finally:
            ended.set()

    threading.Thread(target=job, daemon=True).start()
    given = 0
    while True:
        over = ended.wait(_LOOK_SECONDS)
        came = done.value[given:]
        yield from came
        given += len(came)
        if over:
            break
    if failures:
        raise unmarked(failures[0]) from failures[0]
    if given != parts:
        raise ReplayhouseError(f"Spark told of {given:,} parts of {parts:,}. Nothing that was written counts.")


def marked(error: ReplayhouseError | OSError) -> str:
    """An error as letters, for Spark hands on the text of a traceback only."""
    args = [error.errno, error.strerror, error.filename] if isinstance(error, OSError) else list(map(str, error.args))
    then = list(error.then) if isinstance(error, ReplayhouseError) else []
    document = json.dumps([type(error).__module__, type(error).__qualname__, args, then])
    return f"<<replayhouse {base64.b64encode(document.encode()).decode()}>>"


def unmarked(error: BaseException) -> BaseException:
    """The error that a task met, or else Spark's own."""
    found = _MARK.search(str(error))
    if found is None:
        return error
    module, name, args, then = json.loads(base64.b64decode(found[1]))
    met: Exception = getattr(import_module(module), name)(*args)
    if isinstance(met, ReplayhouseError):
        met.then = tuple(then)
    return met


def refuse_missing(folded: Folded, folder: Path) -> None:
    """What executors wrote must stand here as well."""
    for table in folded.tables.values():
        for file in table.files:
            try:
                size = (folder / file.name).stat().st_size
            except FileNotFoundError:
                size = -1
            if size != file.bytes:
                raise ReplayhouseError(
                    f"An executor wrote {file.name}, and it is not in {folder}: --out must be a folder that this "
                    "machine and all executors share."
                )
