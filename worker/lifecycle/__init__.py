"""The worker process from start to end: what it holds, the leases and attempts of its work, what it says of itself."""
