"""Proofs about the log that are checked without the database: checkpoints, the keys that sign them, inclusion."""
