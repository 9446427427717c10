"""What a load changed: figures that moved, and why."""

from fastapi import APIRouter

router = APIRouter()
