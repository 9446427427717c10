"""Fulfillment: shipments from the sellers to the customer, promised and late, and where the zip prefixes lie."""
