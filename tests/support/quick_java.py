"""Java that starts a broker with half the work: the classes that it loads are kept, read and checked, in an archive.

It is made once a machine, by whoever asks first, and kept in the user's cache beside the jars that it is of. Java
itself refuses one that does not fit or cannot be read, and does without.
"""

import atexit
import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from unittest.mock import patch

from confluent_kafka import Producer
from kafka import KafkaConsumer

from replayhouse.infra.kafka.broker import node
from replayhouse.infra.kafka.broker.jars import jars, java, one_at_a_time
from replayhouse.infra.kafka.topics import make_topics
from replayhouse.infra.publishing.names import events_topic
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

LONGEST_S = 60.0
# What it says of an archive that does not fit would stand in what a program prints.
WITH_ARCHIVE = '#!/bin/sh\nexec "{java}" -XX:SharedArchiveFile="{archive}" "-Xlog:cds*=off" "$@"\n'
MAKING_IT = """\
#!/bin/sh
case "$*" in
    *" kafka.Kafka "*) exec "{java}" -XX:ArchiveClassesAtExit="{archive}" "-Xlog:cds*=off" "$@";;
    *) exec "{java}" "$@";;
esac
"""


@cache
def use_quick_java() -> None:
    """From here on, what this process and those that it starts take for Java is the quick one, if it can be made."""
    with suppress(ReplayhouseError, OSError):  # who starts a broker is told
        archive = _archive()
        if not archive.exists():
            return
        home = Path(tempfile.mkdtemp(prefix="replayhouse-java-"))
        atexit.register(shutil.rmtree, home)
        os.environ["JAVA_HOME"] = _java_home(home, WITH_ARCHIVE, archive)


def _archive() -> Path:
    classes, program = jars(), Path(java()).resolve()
    of = f"{program}, {program.stat().st_mtime_ns}, {node._JAVA_OPTIONS}"
    archive = classes.with_name(f"{classes.name}-{hashlib.sha256(of.encode()).hexdigest()[:16]}.jsa")
    if not archive.exists():
        with one_at_a_time(archive.with_suffix(".lock"), 3 * LONGEST_S):
            if not archive.exists():
                _make(archive)
    return archive


def _java_home(folder: Path, source: str, archive: Path) -> str:
    """A folder that stands for Java's own."""
    program = folder / "bin" / "java"
    program.parent.mkdir()
    program.write_text(source.format(java=java(), archive=archive), encoding="utf-8")
    program.chmod(0o755)
    return str(folder)


def _make(archive: Path) -> None:
    """By a broker that has done a little of everything; nothing is there afterwards if this Java makes no archive."""
    unfinished = archive.with_suffix(".unfinished")
    with tempfile.TemporaryDirectory(prefix="replayhouse-java-") as name:
        home = _java_home(Path(name), MAKING_IT, unfinished)
        broker = node.Broker(Path(name, "broker"), ends_with_us=True)
        with patch.dict(os.environ, {"JAVA_HOME": home}):
            broker.start()
        with suppress(Exception):  # what is not loaded now is loaded then
            _use(broker.bootstrap)
        broker.stop()
    if _can_be_used(unfinished):  # a broker that is slow to end is killed, and what it was writing is not whole
        unfinished.rename(archive)


def _can_be_used(archive: Path) -> bool:
    options = (f"-XX:SharedArchiveFile={archive}", "-Xshare:on", *node._JAVA_OPTIONS, "-cp", f"{jars()}/*", "-version")
    return archive.exists() and subprocess.run([java(), *options], capture_output=True, check=False).returncode == 0


def _use(bootstrap: str) -> None:
    kafka = KafkaSettings(bootstrap=bootstrap, prefix="warm")
    make_topics(kafka, bootstrap, ["sales"])
    topic = events_topic(kafka.prefix, "sales")
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": "warm"})
    producer.init_transactions(LONGEST_S)
    producer.begin_transaction()
    producer.produce(topic, b"value", b"key")
    producer.commit_transaction(LONGEST_S)
    quick = {"group_id": "warm", "auto_offset_reset": "earliest", "isolation_level": "read_committed"}
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, consumer_timeout_ms=round(LONGEST_S * 1000), **quick)
    next(consumer)
    consumer.commit()
    consumer.close()
