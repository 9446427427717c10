"""What the kit says, in its log and in its errors: whatever it quotes of messages and handlers is made legible here."""

import logging


def legible(text: str) -> str:
    """A text on one line: what would move a terminal's cursor, change its colours or hide letters is written out."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class _Legible(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = legible(record.getMessage()), ()
        return True


LOG = logging.getLogger("replayhouse_consumer")
LOG.addFilter(_Legible())
