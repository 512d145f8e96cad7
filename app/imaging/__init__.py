"""Images out of archives: shared by the worker, which audits them, and the API, which shows them."""
