"""A data warehouse you can replay: extracts become events, star schemas are folded from them."""
