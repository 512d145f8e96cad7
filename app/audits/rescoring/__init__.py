"""Comparisons made again by another similarity."""
