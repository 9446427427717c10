"""The event store in PostgreSQL: appending under one lock, reading streams back, the hash chain, the keys."""
