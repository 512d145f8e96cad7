"""A package, whose fixtures of that scope end with its last test: what they start would work on beside all others."""
