"""Marketplace: the products on offer, who sells them, and the categories they stand in."""
