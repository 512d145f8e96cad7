"""Comparisons: audits of the same samples, side by side."""
