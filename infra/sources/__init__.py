"""Extracts of other shapes: a mapping, which is data, says how their files become the records of the nine files."""
