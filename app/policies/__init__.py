"""Policies: which versions of a registry are audited, how, and what is written back."""
