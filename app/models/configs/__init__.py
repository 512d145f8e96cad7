"""Files that other libraries save beside weights, read as data: ``config.json``, ``preprocessor_config.json``."""
