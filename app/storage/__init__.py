"""Content-addressed blobs."""
