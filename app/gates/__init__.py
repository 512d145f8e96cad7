"""Gates: named conditions that an audit's numbers must meet."""
