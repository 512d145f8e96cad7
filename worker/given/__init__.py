"""Maps of map sets within an audit: where they lie, and compared whatever their sizes. No torch and no database."""
