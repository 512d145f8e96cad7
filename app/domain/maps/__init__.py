"""Salience maps, but for their arithmetic: the methods that make them, how they are stored, what compares two."""
