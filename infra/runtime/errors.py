"""What can go wrong outside the domain, as one tree; each kind knows the exit code of the command that meets it.

ReplayhouseError         1  the answer is no
├── MappingError         1  an event cannot be stored, or read back (infra/event_store/serialization/errors.py)
├── LostKeys             1  personal fields have neither a key nor were they erased (infra/event_store/known_keys.py)
├── Unfoldable           1  a stream cannot be folded (infra/read_models/folding.py)
├── Rejected             1  a batch was rejected, a check failed
├── UsageError           2  the command was called in a wrong way, or a setting makes no sense
│   ├── NoWarehouse      2  there is no warehouse where the settings say that there is one
│   └── Unknown          2  what is asked for is not there: no such question, load, id or position
├── InputError           2  what was given to read cannot be read
├── WrongServer          2  the database is of a wrong version, or its schema is newer than this program
├── OtherVersion         2  another version of the program has made read models (infra/read_models/versions.py)
├── TooLong              1  a statement was ended because it took longer than it may
├── Unidentified         1  nobody knows who asks
├── Forbidden            1  who asks may not see this
├── Unreachable          3  a service does not answer, or does not let us in
└── Conflicting          4  another command is at work on the same thing
    └── Conflict         4  somebody else recorded that version of the stream first

Messages are one or two plain sentences on one line: what is wrong, where, what to do. Lines that are to follow it,
such as statements to run, are given as `then`.
"""

# ruff: noqa: N818 - the names say what is the matter; "Error" behind each would add nothing

from collections.abc import Sequence
from typing import ClassVar


class ReplayhouseError(Exception):
    """Anything that a command answers with a plain message instead of a traceback."""

    exit_code: ClassVar[int] = 1
    then: Sequence[str] = ()

    def __init__(self, *message: object, then: Sequence[str] = ()) -> None:
        super().__init__(*message)
        if then:
            self.then = tuple(then)


class Rejected(ReplayhouseError):
    """The question was understood, and the answer is no."""


class UsageError(ReplayhouseError):
    """The command was called in a wrong way, or a setting makes no sense."""

    exit_code = 2


class NoWarehouse(UsageError):
    """There is no warehouse in the home or the database that the settings name."""


class Unknown(UsageError):
    """What is asked for is not there."""


class TooLong(ReplayhouseError):
    """A statement took longer than it may, and was ended."""


class Unidentified(ReplayhouseError):
    """It is not known who asks: nothing says so, or what says so does not hold."""


class Forbidden(ReplayhouseError):
    """Whoever asks is known, and may not see or do this."""


class InputError(ReplayhouseError):
    """What was given to read cannot be read."""

    exit_code = 2


class WrongServer(ReplayhouseError):
    """The database server or its schema is not one that this program can work with."""

    exit_code = 2


class Unreachable(ReplayhouseError):
    """A service does not answer, or refuses the name and password given."""

    exit_code = 3


class Conflicting(ReplayhouseError):
    """Another command is at work on the same thing."""

    exit_code = 4


class Conflict(Conflicting):
    """A version of a stream, or a place in the log, that was to be recorded is taken already."""
