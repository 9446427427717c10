"""Events as columns, and folds run on them: one run for all streams of a shape."""
