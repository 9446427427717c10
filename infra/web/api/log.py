"""`/api/log`: one event of the log, and its proof."""

from fastapi import APIRouter

from replayhouse.infra.web.api.documents import FAULTS

router = APIRouter(prefix="/api/log", tags=["log"], responses=FAULTS)
