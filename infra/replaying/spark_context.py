"""Spark for the time of one command: without a word on the terminal, and its errors in our own words.

Only this module and `spark` import pyspark, and only when they are used: it is the extra `spark`, and needs Java.
"""

import os
import re
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from replayhouse.infra.runtime.data_frames import let_data_frames_in
from replayhouse.infra.runtime.errors import ReplayhouseError, Unreachable, UsageError

_OURS = {
    "spark.app.name": "replayhouse replay",
    "spark.ui.enabled": "false",  # it would listen for everybody
    "spark.ui.showConsoleProgress": "false",
}
_HERE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_JAVA_SECONDS = 20.0

_NO_JAVA = re.compile(r"JAVA_HOME is not set|java: (?:command )?not found|UnsupportedClassVersionError")
_NO_MASTER = re.compile(r"Could not parse Master URL|Master must (?:either )?be")
_SILENT_MASTER = re.compile(r"All masters are unresponsive|Failed to connect to master|UnknownHostException")
_OF_PYTHON = re.compile(r"^(?!org\.|java\.)(?:\w+\.)*[A-Z]\w*(?:Error|Exception): .+", re.MULTILINE)
_ABORTED = re.compile(r"Job aborted due to stage failure: (.+)")


def password_cannot_travel() -> UsageError:
    """A password is not sent with tasks: Spark keeps those, and shows them to whoever may see its work."""
    return UsageError(
        "The password in --keys would have to be sent with the tasks of Spark: leave it out of the URL, and have the "
        "executors find it in PGPASSFILE or PGPASSWORD of their environment."
    )


def is_here(master: str) -> bool:
    """Whether all of it runs on this machine."""
    return master.startswith("local")


@contextmanager
def spark_context(master: str, environment: Mapping[str, str]) -> Iterator[Any]:
    """The SparkContext of this process, for the time of the block: the one that runs already, or a new one.

    A new one is of the master, its Java finds the variables in its environment, and it has ended after the block.
    Raises UsageError where pyspark or Java is missing, the master is none, or a running one cannot be given variables;
    Unreachable where it does not answer, and ReplayhouseError for whatever Spark itself raises in the block.
    """
    let_data_frames_in()  # Spark asks whether they are installed, and takes no refusal for an answer
    try:
        from pyspark import SparkContext
    except ImportError:
        raise UsageError("Spark is not installed here: pip install 'replayhouse[spark]'.") from None
    if SparkContext._gateway is not None and environment:
        raise password_cannot_travel()
    if SparkContext._active_spark_context is not None:
        with _in_our_words(None):
            yield SparkContext._active_spark_context
        return
    variables = _variables_of(master) | dict(environment)
    with _kept_where_it_fails() as log, _variables(variables), _java(master, log) as (conf, gateway):
        context = _started(conf, gateway, log)
        try:
            with _in_our_words(log):  # while there is Java, which has the words of its exceptions
                yield context
        finally:
            with suppress(Exception):  # it has ended by itself, and what became of the work is told already
                context.stop()


def _variables_of(master: str) -> dict[str, str]:
    """What Spark reads of the environment; a cluster has its own Python, which PYSPARK_PYTHON names."""
    if is_here(master):
        return {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    return {"PYSPARK_PYTHON": os.environ.get("PYSPARK_PYTHON", "python3")}


@contextmanager
def _java(master: str, log: Path) -> Iterator[tuple[Any, Any]]:
    """Settings, and a Java for them: one that this process has already and keeps, or a new one for the block."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway

    conf = SparkConf(loadDefaults=False).setMaster(master)
    for name, value in (_OURS | (_HERE if is_here(master) else {})).items():
        conf.set(name, value)
    if SparkContext._gateway is not None:
        yield conf, SparkContext._gateway
        return
    with log.open("wb") as out, _in_our_words(log):
        gateway = launch_gateway(conf, {"stdout": out, "stderr": out})
    try:
        yield conf, gateway
    finally:
        end_java()


def _started(conf: Any, gateway: Any, log: Path) -> Any:
    from pyspark import SparkContext

    before = signal.getsignal(signal.SIGINT)
    try:
        with _in_our_words(log), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of pandas, which is not used
            return SparkContext(conf=conf, gateway=gateway)
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)  # Spark has put its own in its place


def end_java() -> None:
    """Ends the Java of this process: the next context starts another one, which has the environment of that time."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    SparkContext._gateway = SparkContext._jvm = None
    java = gateway.proc
    with suppress(Exception):
        gateway.shutdown()
    if java is None:  # it was there before this process, which spark-submit has started
        return
    java.stdin.close()  # Java ends when its standard input does
    try:
        java.wait(_JAVA_SECONDS)
    except Exception:
        java.kill()
        java.wait()


@contextmanager
def _variables(given: Mapping[str, str]) -> Iterator[None]:
    """Variables of this process for the time of the block: what Spark starts has them, nobody after it."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


# --- what Spark says --------------------------------------------------------------------------------------------


@contextmanager
def _kept_where_it_fails() -> Iterator[Path]:
    """A file for Spark's own log, for this user alone; it stays where the block fails by Spark's doing."""
    handle, name = tempfile.mkstemp(prefix="replayhouse-spark-", suffix=".log")
    os.close(handle)
    log = Path(name)
    try:
        yield log
    except _SparkFailed:
        raise
    except BaseException:
        log.unlink(missing_ok=True)
        raise
    log.unlink(missing_ok=True)


class _SparkFailed(ReplayhouseError):  # noqa: N818 - the name says what is the matter
    """Spark gave up, for a reason of its own."""


@contextmanager
def _in_our_words(log: Path | None) -> Iterator[None]:
    try:
        yield
    except (ReplayhouseError, OSError):
        raise
    except Exception as error:
        if not type(error).__module__.startswith(("pyspark.", "py4j.")):
            raise
        raise _plain(str(error), log) from error


def _plain(told: str, log: Path | None) -> ReplayhouseError:
    logged = "" if log is None else log.read_text(encoding="utf-8", errors="replace")
    if _NO_JAVA.search(logged):
        return UsageError("Spark runs on Java 17 or newer, which is not found: install it, or name it in JAVA_HOME.")
    if _NO_MASTER.search(told) or _NO_MASTER.search(logged):
        return UsageError("--master names no Spark: say local[4], spark://HOST:7077, yarn or k8s://URL.")
    if _SILENT_MASTER.search(logged) or _SILENT_MASTER.search(told):
        return Unreachable("Spark's master does not answer: look at --master, and whether its port can be reached.")
    then = () if log is None else (f"Spark's own log: {log}",)
    return _SparkFailed(f"Spark gave up: {reason_of(told)}. Nothing that was written counts.", then=then)


def reason_of(told: str) -> str:
    """What a person needs to know of Spark's text, of which most are the stacks of Java and Python."""
    before_java = told.partition("\n\tat ")[0]
    of_python, aborted = _OF_PYTHON.findall(before_java), _ABORTED.search(told)
    if of_python:
        reason = str(of_python[-1])
    elif aborted:
        reason = str(aborted[1])
    else:
        reason = next(iter(told.strip().splitlines()), "it says nothing")
    return reason.strip().rstrip(".:")[:300]
