"""Series of scores set against each other: differences of audits, and ranks of models under several CAM methods."""
