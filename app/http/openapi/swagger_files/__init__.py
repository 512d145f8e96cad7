"""Our own files of the page with Swagger UI."""
