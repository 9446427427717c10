"""A load on columns: new families of one shape are decided, written and appended together."""

FEW = 8
"""So many persons of a shape are decided as quickly one by one."""
