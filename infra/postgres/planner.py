"""What the planner is told where its guess would cost: statements for a transaction, or for a session.

The log is large and its statistics are old after a load; which index leads to the events is known beforehand.
"""

BY_INDEX = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off"
"""Some streams or events are looked up among many: never read a table whole for that. For the transaction at hand."""

_IN_ORDER = ("enable_sort = off", "enable_seqscan = off", "enable_bitmapscan = off")
_ALONE = "max_parallel_workers_per_gather = 0"

WORKERS_HERE = "SET LOCAL max_parallel_workers_per_gather = {}"
"""So many processes of the server's own help a query at most. For the transaction at hand."""

COMPUTED_ONCE_HERE = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'"
"""Much is computed once: compiling costs more than it brings, hashes stay in memory. For the transaction at hand."""

IN_ORDER = "; ".join(f"SET {setting}" for setting in (*_IN_ORDER, _ALONE))
"""Events are read in the order of an index, without a sort, and by this process alone. For the session."""

IN_ORDER_HERE = "; ".join(f"SET LOCAL {setting}" for setting in (*_IN_ORDER, "enable_indexscan = on", _ALONE))
"""The same, for the transaction at hand."""

AS_THEY_LIE_HERE = "SET LOCAL enable_bitmapscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_seqscan = off"
"""A range of positions is read page by page, in no order. For the transaction at hand."""

AMONG_MANY = f"{BY_INDEX}; SET LOCAL enable_sort = on"
"""Some streams among many, for a transaction of a session that reads `IN_ORDER` otherwise: those few are sorted."""
