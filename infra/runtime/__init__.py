"""What every room needs of the process it runs in: settings, errors, files, signals, subprocesses."""
