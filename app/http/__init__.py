"""What every room of the API shares: problems, dependencies, pages, limits, health, the server."""
