"""What every pool of processes needs: its processes end with the one that they work for, however that ends."""

import os
import threading
from multiprocessing import parent_process


def end_with_parent() -> None:
    """From now on this process, one of a pool, ends as soon as its parent has; returns at once.

    It would wait for ever for the next task of a parent that was killed.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
