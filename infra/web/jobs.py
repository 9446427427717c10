"""Jobs: moments that are made while whoever asked for one looks on, one at a time, each in a process of its own."""

import json
import logging
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Request

from replayhouse.infra.runtime.errors import Conflicting, Unknown
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.web.making import CTRL_C

MOST_REMEMBERED = 50
"""Of so many jobs it is known what came of them."""

FAREWELL_SECONDS = 20.0
"""A process that is told to end may take so long to remove what it had made; then it is killed."""

_LOG = logging.getLogger("replayhouse.web")

_BROKE_OFF = "The process that made the moment ended without a word. The server has written down what is known."


class State(StrEnum):
    """How a job is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass
class Job:
    """One moment in the making: `done` of `of` parts of what it is `doing`; `error` says in words why it failed.

    `to` is the page to go to when it is made.
    """

    at: str | None
    by: str | None
    to: str
    source: str | None = None
    id: str = field(default_factory=lambda: uuid4().hex[:12])
    state: State = State.RUNNING
    doing: str = "starting"
    done: int = 0
    of: int = 0
    error: str | None = None
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None

    @property
    def is_running(self) -> bool:
        """Whether it is not over."""
        return self.state is State.RUNNING


class Working(Conflicting):
    """Another job is at work."""


class Jobs:
    """The jobs of a server. Threads share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._cancelled: set[str] = set()

    def start(self, at: str | None, by: str | None, to: str, source: str | None = None) -> Job:
        """A job that makes a moment; that which makes it already, if there is one. Raises Working beside another."""
        with self._lock:
            running = self._running()
            if running is not None and (running.at, running.by, running.source) == (at, by, source):
                return running
            if running is not None:
                raise Working(
                    "Another moment is being made, and one is made at a time. Wait until it is made, or cancel it: the "
                    "page Moments shows it."
                )
            job = Job(at, by, to, source)
            self._jobs[job.id] = job
            for former in list(self._jobs)[:-MOST_REMEMBERED]:
                del self._jobs[former]
            self._process = self._started(job)
            self._thread = threading.Thread(target=self._look_on, args=(job, self._process), name=f"job {job.id}")
            self._thread.start()
            return job

    def job(self, number: str) -> Job:
        """The job of an id. Raises Unknown."""
        found = self._jobs.get(number)
        if found is None:
            raise Unknown(f"There is no job '{number}': the server knows the last {MOST_REMEMBERED} since it began.")
        return found

    def newest(self) -> Job | None:
        """The job that began last."""
        return next(reversed(self._jobs.values()), None)

    def cancel(self, number: str) -> Job:
        """Ends a job that is running, and waits until nothing is left of it; one that is over stays as it is."""
        job = self.job(number)
        with self._lock:
            process, thread = self._process, self._thread
            if not job.is_running or process is None or thread is None:
                return job
            self._cancelled.add(job.id)
            process.send_signal(signal.SIGINT)
        thread.join(FAREWELL_SECONDS)
        if thread.is_alive():
            process.kill()
            thread.join()
        return job

    def wait(self, number: str) -> Job:
        """The job of an id, once it is over."""
        job, thread = self.job(number), self._thread
        if thread is not None:
            thread.join()
        return job

    def close(self) -> None:
        """Cancels what is running."""
        running = self._running()
        if running is not None:
            self.cancel(running.id)

    def _running(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.is_running), None)

    def _started(self, job: Job) -> "subprocess.Popen[str]":
        held_back = signal.pthread_sigmask(signal.SIG_BLOCK, CTRL_C)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "replayhouse.infra.web.making"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # a Ctrl-C in a terminal is for the server, which passes it on
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held_back)
        assert process.stdin is not None  # it is a pipe
        with suppress(BrokenPipeError):  # it has died; how, its thread finds out
            wanted = {"at": job.at, "by": job.by, "source": job.source}
            json.dump({"settings": self._settings.model_dump(mode="json"), **wanted}, process.stdin)
            process.stdin.close()
        return process

    def _look_on(self, job: Job, process: "subprocess.Popen[str]") -> None:
        """Notes what the process tells, until it has ended."""
        assert process.stdout is not None  # it is a pipe
        is_made = False
        with process.stdout:
            for line in process.stdout:
                told = json.loads(line)
                if "warning" in told:
                    _LOG.error(told["warning"])
                if "doing" in told:
                    job.doing, job.done, job.of = told["doing"], told["done"], told["of"]
                job.error = told.get("error", job.error)
                is_made = is_made or "made" in told
        process.wait()
        with self._lock:
            job.ended_at = datetime.now(UTC)
            if is_made:
                job.state = State.DONE
            elif job.id in self._cancelled:
                job.state, job.error = State.CANCELLED, None
            else:
                job.state, job.error = State.FAILED, job.error or _BROKE_OFF
            self._process = self._thread = None


def _jobs(request: Request) -> Jobs:
    found: Jobs = request.app.state.jobs
    return found


TheJobs = Annotated[Jobs, Depends(_jobs)]
"""A parameter of a view: the jobs of the server."""
