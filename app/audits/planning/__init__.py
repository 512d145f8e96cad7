"""What an audit will cost, and how it is cut into shards."""
