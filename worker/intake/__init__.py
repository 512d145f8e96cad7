"""Looks into what was brought: data sets and models."""
