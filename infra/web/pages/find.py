"""Searching: by id, CSV line, position, or the words of a question."""

from fastapi import APIRouter

router = APIRouter()
