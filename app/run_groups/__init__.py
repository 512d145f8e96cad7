"""Run groups: models of one recipe, trained independently."""
