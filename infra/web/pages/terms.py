"""The terms of the questions."""

from fastapi import APIRouter

router = APIRouter()
