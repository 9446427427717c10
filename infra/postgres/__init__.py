"""The event store in PostgreSQL: the embedded server, the schema, appending, reading and verifying."""
