"""Backups of the log and its keys: making them, the files they are, restoring them."""
