"""`/api/changes`: what a load changed."""

from fastapi import APIRouter

from replayhouse.infra.web.api.documents import FAULTS

router = APIRouter(prefix="/api/changes", tags=["changes"], responses=FAULTS)
