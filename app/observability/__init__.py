"""What an operator sees of a process: log lines and traces. Metrics are a room of their own, ``app.metrics``."""
