"""The read side: what a projection is, and the star schema of each context with the fold that fills it."""
