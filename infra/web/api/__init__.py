"""What programs read: the same in JSON and CSV, typed, described by OpenAPI."""

from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """The views of the whole API."""
    from replayhouse.infra.web.api import changes, lineage, loads, log, moments, quality, questions, status, things

    parts = (questions, moments, things, lineage, loads, log, changes, quality, status)
    return tuple(part.router for part in parts)
