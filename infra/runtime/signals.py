"""How a command that stays is told to end."""

import signal
import threading


def told_to_end() -> threading.Event:
    """Is set by SIGINT (Ctrl-C) or SIGTERM, where this is the main thread: others may not listen to signals."""
    told = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: told.set())
    return told
