"""What people see: a module of views for each part of the site."""

from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """The views of all pages."""
    from replayhouse.infra.web.pages import (
        changes,
        find,
        loads,
        log,
        moments,
        overview,
        quality,
        quarantine,
        questions,
        rows,
        terms,
        things,
    )

    parts = (overview, questions, rows, things, loads, find, changes, quarantine, quality, log, terms, moments)
    return tuple(part.router for part in parts)
