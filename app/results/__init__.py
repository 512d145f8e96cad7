"""From stored scores to the results document: of the worker when an audit ends, of the API while it runs."""
