"""Fixtures of the tests that need a database."""

from tests.support.databases import conn, database, server

__all__ = ["conn", "database", "server"]
