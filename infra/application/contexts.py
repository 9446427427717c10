"""Which contexts a use case works on, as its caller names them."""

from collections.abc import Iterable

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.runtime.errors import UsageError


def chosen(contexts: Iterable[str] | None) -> tuple[str, ...]:
    """The contexts named, each once and in the usual order; all of them where none is named. Raises UsageError."""
    named = {contexts} if isinstance(contexts, str) else set(contexts or CONTEXTS)
    if unknown := sorted(named - set(CONTEXTS)):
        raise UsageError(f"There is no context '{unknown[0]}': the contexts are {', '.join(CONTEXTS)}.")
    return tuple(context for context in CONTEXTS if context in named) or CONTEXTS
