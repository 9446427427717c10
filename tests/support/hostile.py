"""A text that would do harm on a terminal, and what of it came through."""

HOSTILE = "a\x1b[31m\x1b]0;title\x07\r\nThe log holds.\t\x7f\x9b2J\u202e\u200b\u2028\u2066\ufeff\udc80\U000e0041z"
"""Colours, a title, a forged line, C1 controls, letters turned and hidden, half a pair: all that is not printable."""


def raw(output: str) -> list[str]:
    """What of an output is not printable; the ends of its lines are its own."""
    return sorted({sign for sign in output if not sign.isprintable() and sign != "\n"})
