"""Erasing a person: the key destroyed, rows folded anew, traces removed, and the list that outlives backups."""
