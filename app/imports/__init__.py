"""Models that are fetched from registries instead of being uploaded."""
