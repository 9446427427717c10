"""From a row of the star schema back to what made it: its stream, the columns that each event changed, and lines."""
