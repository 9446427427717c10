"""The versions of the read models, apart from their tables: who only asks which program made them needs none of those.

Whoever changes the tables of a context, what its views show, or the rows that its fold makes of a stream, raises its
version here. By it, and by the fingerprint of the tables, a program recognises what an earlier one has made.
"""

from typing import NamedTuple


class Version(NamedTuple):
    """A version of a projection. `tables` is their fingerprint as `replayhouse.projections.fingerprint` takes it."""

    number: int
    tables: str


VERSIONS: dict[str, Version] = {
    "sales": Version(2, "8ece8b9b5b885527019557059052812018bf70313596942f4994fb8312a7c256"),
    "fulfillment": Version(2, "e4071f9ad79f43f904a7e7502aa80f551fc2015e2c6271cf745576c74876a92a"),
    "customer": Version(2, "ee60bcf6ea309b371d26c2912f8e63ff00a590decd5d0bb655224578ad57330d"),
    "marketplace": Version(2, "c955610ad524db18abbb0f413879deaccf74235219fbd8dbfb988907f1ed0779"),
    "quality": Version(1, "a54b642fea675deb4673a34cf193edd0ea3bd9cf47352fe5c4cd9eb735bf4321"),
}
"""By context."""
