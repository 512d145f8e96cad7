"""What an audit means: words, protocol, statistics. No framework but pydantic, no I/O."""
