"""Bytes in: one way for models and data sets."""
