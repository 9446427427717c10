"""Benchmarks: what the program reaches, each figure beside its baseline in the same run on the same machine.

Run by hand (`make bench`), never as timed tests. One module per row of the table in `docs/performance.md`.
"""
