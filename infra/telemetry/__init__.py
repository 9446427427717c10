"""What the program tells of its work to machines: log lines, spans, metrics."""
