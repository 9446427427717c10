"""Fixtures of the tests that need a database."""

from tests.databases import conn, database, server

__all__ = ["conn", "database", "server"]
