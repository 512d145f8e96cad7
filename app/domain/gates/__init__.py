"""The language of gates: conditions on an audit's numbers."""
