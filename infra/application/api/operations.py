"""Operations: what a warehouse needs of those who run it.

Each use case is imported when it is run: whoever asks for one need not wait for what the others import.
"""

from typing import TYPE_CHECKING

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.status import Status


class Operations(Base):
    """The methods that have to do with operating a warehouse."""

    def status(self) -> "Status":
        """Which warehouse this is, how far its read models and relays are, and the loads so far.

        Its `needs` say what needs a person; there are none where all is well.
        """
        from replayhouse.infra.application.status import status

        return self._do(status)
