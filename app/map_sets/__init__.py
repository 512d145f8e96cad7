"""Map sets: salience maps that came from elsewhere, for the samples of a data set."""
