"""The browser and HTTP: pages and a read API over the use cases. Only `serve` imports it."""
