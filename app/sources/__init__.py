"""Data sets that lie elsewhere and are read there: listed once, opened whenever one of their images is needed."""
