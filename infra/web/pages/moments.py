"""Moments: those that stand, and making another one."""

from fastapi import APIRouter

router = APIRouter()
