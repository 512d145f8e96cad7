"""An audit while it runs: progress, events, results so far."""
