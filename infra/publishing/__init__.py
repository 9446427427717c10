"""Publishing the log: relays, channels and their positions, and the ports of whatever takes messages."""
