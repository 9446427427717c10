"""Adapters: PostgreSQL, CSV and DuckDB, the command line; the only package that names real services."""
