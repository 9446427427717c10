"""What folds a stream needs no driver of a database: it works on machines that have none."""

import subprocess
import sys

WITHOUT = """
import sys
sys.modules["psycopg"] = None
from replayhouse.infra.backup import keys_file
from replayhouse.infra.event_store.known_keys import refuse_lost
from replayhouse.infra.read_models import arrow_rows, arrow_schema, copy_text, stream_reader
from replayhouse.infra.replaying import erased, folding, keys, manifest, output, replay
from replayhouse.infra.runtime import crews, gc_pause
assert not [name for name in sys.modules if name.startswith("psycopg") and sys.modules[name]]
"""


def test_streams_are_read_and_folded_without_psycopg() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT], check=True)
