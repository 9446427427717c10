"""Quality: what becomes of a load, how believable its extract is, and the rows that were kept apart."""
