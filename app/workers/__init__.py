"""``/v1/workers``: who does the work, and whether they are there."""
