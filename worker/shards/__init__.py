"""Shards of audits: claimed, computed, stored."""
