"""Scores and maps of single samples."""
