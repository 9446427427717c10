"""`/api/lineage`: what made a row."""

from fastapi import APIRouter

from replayhouse.infra.web.api.documents import FAULTS

router = APIRouter(prefix="/api/lineage", tags=["lineage"], responses=FAULTS)
