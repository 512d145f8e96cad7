"""``/metrics``: the service's state from its rows, and this process's own numbers."""
