"""A replayhouse warehouse in Dagster: extracts as partitions of its log, tables as assets, rules as asset checks.

It runs the program's command line and reads its JSON; nothing of the program is imported, so that both stand in
environments of their own. `definitions` is the whole of it for one warehouse, to be merged with those of others.
"""

from replayhouse_dagster.command import ReplayhouseCli
from replayhouse_dagster.defining import definitions

__all__ = ["ReplayhouseCli", "definitions"]
