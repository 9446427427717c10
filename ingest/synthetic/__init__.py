"""Extracts that nobody had to hand out: nine files in the shape of the Olist dataset, with its traps, from a seed."""

from replayhouse.ingest.synthetic.generate import generate

__all__ = ["generate"]
