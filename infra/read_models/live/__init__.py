"""Following the log: the projector, the watcher that never ends, filling anew what another program made."""
