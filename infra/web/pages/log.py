"""The log: its head, commits and verification, and one event with its proof."""

from fastapi import APIRouter

router = APIRouter()
