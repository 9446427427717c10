"""Rebuilding read models in bulk: workers, ranges, revisions and the swap."""
