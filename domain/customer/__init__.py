"""Customer: people, where they live and what they bought, the segment that puts them in, what they say of orders."""
