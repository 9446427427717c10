"""A first load on columns: families of one shape are decided, written and appended together."""
