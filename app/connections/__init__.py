"""Connections: registries that a tenant's models come from and verdicts go to."""
