"""The category: a Portuguese name that products show, with an English one if somebody translated it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import natural_id
from replayhouse.domain.kernel.state import Changes, Steps, evolved, folded
from replayhouse.domain.marketplace.events import CategoryNamed


@dataclass(frozen=True)
class Category:
    """What is known of a category; `name` is empty until it was seen, `translation` None while there is none."""

    name: str = ""
    translation: str | None = None

    @property
    def is_named(self) -> bool:
        """Whether a product or the translation has shown it."""
        return self.name != ""

    @property
    def english(self) -> str:
        """The English name; an untranslated category stands under its own (R36)."""
        return self.name if self.translation is None else self.translation


NEW_CATEGORY = Category()


def category_stream_id(name: str) -> UUID:
    """The stream of a category, by its Portuguese name."""
    return natural_id("category", name)


def category_of(events: Iterable[DomainEvent]) -> Category:
    """The category that these events made; `events` are effective ones, or any subsequence of them."""
    return folded(NEW_CATEGORY, events, _EVOLUTION)


def evolve(category: Category, event: DomainEvent) -> Category:
    """The category after an event: the last one counts. An event of another kind leaves it as it is."""
    return evolved(category, event, _EVOLUTION)


def _named(_: Category, event: CategoryNamed) -> Changes:
    return {"name": event.name, "translation": event.english}


_EVOLUTION: Steps[Category] = {CategoryNamed: _named}


def notice(category: Category, name: str) -> tuple[DomainEvent, ...]:
    """A product shows a category; nothing if it is known, translated or not."""
    return () if category.is_named else (CategoryNamed(name, english=None),)


def translate(category: Category, name: str, english: str) -> tuple[DomainEvent, ...]:
    """The translation file names a category in English; nothing if that is how it is known already."""
    return () if category == Category(name, english) else (CategoryNamed(name, english),)
