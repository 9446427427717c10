"""The read models in PostgreSQL: their tables, following the log live, rebuilding in bulk, digests and status."""
