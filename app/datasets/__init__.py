"""Data sets: archives of images."""
