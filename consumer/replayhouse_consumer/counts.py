"""What has become of the messages since the consumer was made."""

from collections import Counter
from dataclasses import dataclass, field

MOST_TYPES = 1_000
OTHERS = "(others)"


@dataclass
class Counts:
    """Messages by what became of them; only what is committed counts."""

    events: int = 0
    """kept for the first time, whatever their type"""

    unknown: Counter[str] = field(default_factory=Counter)
    """of these by type: those of types or versions that the kit has no class for, passed over; a thousand types are
    told apart, and all others are counted as OTHERS"""

    parked: int = 0
    """of these: kept and not handed out, because their stream is parked"""

    repeated: int = 0
    """received again, and passed over"""

    dead: int = 0
    """could not be handled, and went to the dead letters"""

    def add(self, other: "Counts") -> None:
        """Counts what another one has counted."""
        self.events += other.events
        for event_type, number in other.unknown.items():
            is_told_apart = event_type in self.unknown or len(self.unknown) < MOST_TYPES
            self.unknown[event_type if is_told_apart else OTHERS] += number
        self.parked += other.parked
        self.repeated += other.repeated
        self.dead += other.dead
