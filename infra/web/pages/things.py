"""One thing: an order, a customer, a shipment, a review, a seller, a product, a load; its events and its row."""

from fastapi import APIRouter

router = APIRouter()
