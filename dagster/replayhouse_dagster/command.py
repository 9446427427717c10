"""The program's command line as a resource, and what its exit codes are in Dagster.

| code | the program says | in Dagster |
|---|---|---|
| 0 | done | the document |
| 1 | the answer is no | the document, for whom asked what may be denied; else a failure that is not retried |
| 2 | wrong usage or input | a failure that is not retried, with the program's sentence |
| 3 | a service is not reachable | a failure, with the program's sentence; a retry policy may try again |
| 4 | another command is at work | the step waits and tries again, `tries` times; then a failure with the sentence |
"""

import json
import os
import shutil
from collections.abc import Sequence
from logging import Logger
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from dagster import ConfigurableResource, Failure, RetryRequested
from pydantic import Field

from replayhouse_dagster.child import Child, Done, TooMuch

NO, WRONG, UNREACHABLE, CONFLICT = 1, 2, 3, 4
NOT_PASSED_ON = frozenset({"PYTHONHOME", "PYTHONPATH"})
"""What is ours alone of the environment: the program has a Python of its own."""


class Answer(NamedTuple):
    """What a command answered: whether with yes, and its JSON document."""

    is_yes: bool
    document: Any


class Step(Protocol):
    """The step of a run in which a command is asked for: the context of any asset, check or op."""

    @property
    def log(self) -> Logger:
        """Where what the command says goes."""
        ...

    @property
    def retry_number(self) -> int:
        """How often the step was tried before."""
        ...


class ReplayhouseCli(ConfigurableResource[Any]):
    """Runs the program's commands on one warehouse.

    A URL of a database holds a password: give it as `EnvVar("REPLAYHOUSE_DATABASE_URL")`, so that no page shows it.
    Home and URL may also stand in the environment of Dagster's processes, as the program itself has them.
    """

    executable: str = Field(default="replayhouse", description="The program: a name on the path, or its path.")
    home: str | None = Field(default=None, description="Its folder for what it keeps; REPLAYHOUSE_HOME by default.")
    database_url: str | None = Field(default=None, description="Its database, if not the embedded one.")
    environment: dict[str, str] = Field(default={}, description="Further settings of the program, REPLAYHOUSE_...")
    tries: int = Field(default=20, ge=0, description="So often it is tried again while another command is at work.")
    seconds_between_tries: float = Field(default=30, ge=0, description="The pause before it is.")
    grace_seconds: float = Field(default=60, gt=0, description="After which a command that does not end is killed.")

    def ask(self, step: Step, *arguments: str, may_be_no: bool = False, tries: int | None = None) -> Answer:
        """Runs a command and gives its document; what it says meanwhile goes into the log of the step.

        `may_be_no` takes exit code 1 for an answer. Raises Failure, and RetryRequested, as told above.
        """
        done = self._run(step.log, arguments)
        if done.code == 0 or (done.code == NO and may_be_no):
            return Answer(done.code == 0, _document(arguments[0], done))
        sentence = _sentence(arguments[0], done)
        if done.code == CONFLICT and step.retry_number < (most := self.tries if tries is None else tries):
            step.log.warning(sentence)
            raise RetryRequested(max_retries=most, seconds_to_wait=self.seconds_between_tries)
        raise Failure(sentence, metadata={"exit_code": done.code}, allow_retries=done.code not in (NO, WRONG, CONFLICT))

    def _run(self, log: Logger, arguments: Sequence[str]) -> Done:
        program = self._program()
        try:
            return Child([program, *arguments, "--json"], self._environment(), self.grace_seconds).run(log.info)
        except TooMuch:
            raise Failure(f"{arguments[0]} prints without end, and was ended.", allow_retries=False) from None
        except OSError as error:
            raise Failure(f"{program} cannot be run: {error.strerror}.", allow_retries=False) from error

    def _program(self) -> str:
        found = shutil.which(os.path.expanduser(self.executable))
        if found is None:
            raise Failure(
                f"There is no program {self.executable}: install replayhouse, or set `executable` to where it is.",
                allow_retries=False,
            )
        return found

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
        ours = {"REPLAYHOUSE_DATABASE_URL": self.database_url} if self.database_url else {}
        if self.home:
            ours["REPLAYHOUSE_HOME"] = str(Path(self.home).expanduser().absolute())
        return {**inherited, **self.environment, **ours}


def _document(command: str, done: Done) -> Any:
    try:
        return json.loads(done.out)
    except ValueError:
        raise Failure(
            f"{command} printed no JSON: is `executable` replayhouse, and of this version?", allow_retries=False
        ) from None


def _sentence(command: str, done: Done) -> str:
    """What the program says of a command that it did not do."""
    if done.code < 0:
        return f"{command} was ended by signal {-done.code}. What it had begun goes on when it is run again."
    try:
        return str(json.loads(done.out)["error"])
    except (ValueError, KeyError, TypeError):
        said = done.last_lines[-1] if done.last_lines else "It said nothing."
        return f"{command} ended with exit code {done.code}. {said}"
