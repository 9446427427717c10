"""`/api/status`: how the warehouse is."""

from fastapi import APIRouter

from replayhouse.infra.web.api.documents import FAULTS

router = APIRouter(prefix="/api/status", tags=["status"], responses=FAULTS)
