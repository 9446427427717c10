"""Fixtures of the contracts that a database must keep too."""

from tests.support.databases import conn, database, server

__all__ = ["conn", "database", "server"]
