"""From extracts to events: rows are brought together, held against what is known, and decided on by the domain."""
