"""`/api/moments`: the moments that stand, and making another one."""

from fastapi import APIRouter

from replayhouse.infra.web.api.documents import FAULTS

router = APIRouter(prefix="/api/moments", tags=["moments"], responses=FAULTS)
