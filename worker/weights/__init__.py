"""Files of weights and the networks that they fit."""
