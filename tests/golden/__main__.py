"""Adds what the golden file lacks, and says what that is."""

from tests.golden import GOLDEN, add_missing

for topic in add_missing() or ["nothing"]:
    print(f"added to {GOLDEN.name}: {topic}")
