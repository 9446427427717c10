"""The overview: six figures, and four charts."""

from fastapi import APIRouter

router = APIRouter()
