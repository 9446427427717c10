"""Test doubles that keep the promises of the ports (tests/contracts)."""
