"""Walls that a process puts up around itself: from then on it can compute, and little else. Linux only."""
