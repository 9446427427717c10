"""What a person may ask for.

Each use case is imported when it is run: whoever asks for one need not wait for what the others import.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from replayhouse.infra.application.api.base import Base

if TYPE_CHECKING:
    from replayhouse.infra.application.access import AccessReport
    from replayhouse.infra.application.erase import EraseReport
    from replayhouse.infra.privacy.erasure_plan import ErasurePlan


class Privacy(Base):
    """The methods that have to do with people's data."""

    def plan_erasure(self, customer: str | UUID) -> "ErasurePlan":
        """How much `erase` would destroy: keys, rows that show fields under them, and the loads that brought these."""
        from replayhouse.infra.application.plan_erasure import plan_erasure

        return self._do(plan_erasure, str(customer))

    def erase(self, customer: str | UUID, reason: str) -> "EraseReport":
        """Destroys the keys of a person's data, at once and for good: nobody is asked.

        `customer` is the person's id, customer_unique_id in the source. The reason is recorded in clear text for ever:
        do not name the person in it. The read models follow; views that could not be refreshed, and may still show what
        was erased, are named as `erasure.stale`. Raises UsageError where the log knows no such person, Conflicting
        while a load is under way.
        """
        from replayhouse.infra.application.erase import erase

        return self._do(erase, str(customer), reason)

    def access(self, customer: str | UUID, limit: int = 1_000) -> "AccessReport":
        """Who was shown personal fields of a person in clear, and what for: the newest entries of the access log.

        Those about the person's orders and reviews, and about quarantined records that name the person, are among them.
        Who reads with SQL stands in none.
        """
        from replayhouse.infra.application.access import access

        return self._do(access, str(customer), limit)
