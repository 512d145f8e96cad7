"""Hooks: where registries tell of new versions."""
