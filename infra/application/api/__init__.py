"""`Warehouse`: every use case as a method, for the command line and for Python callers alike."""
