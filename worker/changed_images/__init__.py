"""Archives of an audit's changed images."""
