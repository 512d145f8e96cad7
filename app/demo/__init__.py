"""``salience-audit demo``: the main job on real input, through the real API."""
