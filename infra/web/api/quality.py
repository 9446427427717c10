"""`/api/quality`: how a load fared by each rule."""

from fastapi import APIRouter

from replayhouse.infra.web.api.documents import FAULTS

router = APIRouter(prefix="/api/quality", tags=["quality"], responses=FAULTS)
