"""The command line: one module per group of commands, and what they say on a terminal, in a pipe, or as JSON."""
