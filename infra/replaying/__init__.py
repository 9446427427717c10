"""Replay of a sealed log without PostgreSQL: the same folds, by processes of one machine or by a cluster."""
