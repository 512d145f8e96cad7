"""Audits: models measured on a data set."""
