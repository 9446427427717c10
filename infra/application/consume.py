"""The events of a context as those see them who consume its topic."""

from collections.abc import Callable, Generator, Iterator
from itertools import chain, islice

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.site import Site
from replayhouse.infra.kafka.clients import bootstrap_of
from replayhouse.infra.kafka.message_view import Seen, seen
from replayhouse.infra.kafka.reader import Received, Topics, reading
from replayhouse.infra.runtime.errors import UsageError

SHOWN = 10
"""How many events are shown where nobody says it: those that came last."""


def consume(
    site: Site,
    context: str,
    *,
    from_beginning: bool = False,
    follow: bool = False,
    limit: int | None = None,
    is_ended: Callable[[], bool] = lambda: False,
) -> Generator[Seen]:
    """The events of a context, by position, no more than the limit; with `follow` it waits for more until `is_ended`.

    That is first asked when all that there was is shown.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"A limit of {limit} makes no sense: it is 1 at least.")
    kafka = site.kafka
    with reading(kafka, bootstrap_of(site.settings, kafka), chosen([context])) as topics:
        if from_beginning or follow:
            some = _in_order(topics, from_beginning, is_ended if follow else None)
            yield from map(seen, islice(some, limit))
        else:
            yield from map(seen, topics.last(limit or SHOWN))


def _in_order(topics: Topics, from_beginning: bool, is_ended: Callable[[], bool] | None) -> Iterator[Received]:
    if from_beginning:
        yield from topics.by_position()
    if is_ended is not None:
        yield from chain.from_iterable(topics.newer(is_ended))
