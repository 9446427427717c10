"""The use cases, one a file: what the command line, Python callers and tests enter by."""
