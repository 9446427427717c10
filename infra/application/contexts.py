"""Which contexts a use case works on, as its caller names them."""

from collections.abc import Iterable

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.runtime.errors import UsageError


def chosen(contexts: Iterable[str] | None) -> tuple[str, ...]:
    """The contexts named, each once and in the usual order; all of them for None.

    Raises UsageError for a name that is none, and where a list names nothing: what was filtered until it was empty is
    not meant to be everything.
    """
    if contexts is None:
        return CONTEXTS
    named = {contexts} if isinstance(contexts, str) else set(contexts)
    if unknown := sorted(named - set(CONTEXTS)):
        raise UsageError(f"There is no context '{unknown[0]}': the contexts are {', '.join(CONTEXTS)}.")
    if not named:
        raise UsageError(f"The list of contexts is empty: name some of {', '.join(CONTEXTS)}, or give None for all.")
    return tuple(context for context in CONTEXTS if context in named)
