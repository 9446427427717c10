"""The anti-corruption layer: rows of an extract become facts, facts become decisions of the domain."""
