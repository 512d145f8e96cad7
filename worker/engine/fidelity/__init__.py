"""Is the model here the one that its owner trained? Its outputs against those of the owner's own code."""
