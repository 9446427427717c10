"""The rows behind a figure, and that they add up to it."""

from fastapi import APIRouter

router = APIRouter()
