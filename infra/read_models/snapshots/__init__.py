"""The warehouse as it was: folded with limits under a prefix, and compared with what is."""
