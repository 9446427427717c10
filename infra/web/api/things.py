"""`/api/things`: one thing with its events."""

from fastapi import APIRouter

from replayhouse.infra.web.api.documents import FAULTS

router = APIRouter(prefix="/api/things", tags=["things"], responses=FAULTS)
