"""Where the real sample is, whether it is at hand or not: REPLAYHOUSE_SAMPLE, or beside the repository."""

import os
from pathlib import Path

_ROOT = Path(__file__).parents[2]

SAMPLE = _ROOT / os.environ.get("REPLAYHOUSE_SAMPLE", "../shared/olist-sample")
