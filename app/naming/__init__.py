"""What people call things: names with versions, aliases, tags, and words of their own."""
