"""A model's versions one after the other: their audits, and what got worse."""
