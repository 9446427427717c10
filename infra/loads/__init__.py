"""A load, from the staged extract to the log: planning the work, dividing it over processes, appending chunks."""
