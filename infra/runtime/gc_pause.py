"""Python's garbage collector, paused while streams are folded, or a load decided.

That makes millions of small objects, none of which refers to itself: reference counts free them all, and looking
for cycles among them took a third of the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_RARELY = 100_000


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


@contextmanager
def rarely() -> Iterator[None]:
    """Cycles are looked for after a hundred thousand objects more, not a thousand: for threads that go on for long.

    They share the collector, which none of them could pause alone.
    """
    before = gc.get_threshold()
    gc.set_threshold(_RARELY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
