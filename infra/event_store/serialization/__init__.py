"""Between event classes and what the log stores: topics (registry), states (mapper), sealed fields (personal)."""
