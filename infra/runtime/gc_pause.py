"""Python's garbage collector, paused while streams are folded, or a load decided.

That makes millions of small objects, none of which refers to itself: reference counts free them all, and looking
for cycles among them took a third of the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No cycles are looked for while the block runs."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
