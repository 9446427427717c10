"""Quality over the loads: scores, rules, and what was kept apart."""

from fastapi import APIRouter

router = APIRouter()
