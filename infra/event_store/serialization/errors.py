"""What can be wrong between an event and what the log stores of it.

MappingError (of ReplayhouseError: 1)
├── UnknownTopic      a topic, or a class of events, that this program has no name for
│   └── NewerVersion  2: of an event it knows, a version that only a newer program can have recorded
├── UnreadableState   a state that is not the JSON its topic promises
├── MissingKey        a personal field is to be sealed, and nobody looked up its subject's key
└── BrokenSeal        a sealed field that its key does not open
"""

# ruff: noqa: N818 - the names say what is the matter; "Error" behind each would add nothing

from replayhouse.infra.runtime.errors import ReplayhouseError


class MappingError(ReplayhouseError):
    """An event cannot be stored, or what is stored cannot be read."""


class UnknownTopic(MappingError):
    """This program does not know the topic, or knows only older versions of it."""


class NewerVersion(UnknownTopic):
    """The log was written by a newer program. No stream is at fault: what this one would make of it is out of date."""

    exit_code = 2


class UnreadableState(MappingError):
    """The stored state is not what its topic promises."""


class MissingKey(MappingError):
    """The subject's key was not looked up. (An erased subject is in the keys, with None.)"""


class BrokenSeal(MappingError):
    """A sealed field does not open: it was damaged, moved from elsewhere, or the key is another one."""
