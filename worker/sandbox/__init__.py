"""The sandbox that a process sets up for itself: from then on it can compute, and little else. Linux only."""
