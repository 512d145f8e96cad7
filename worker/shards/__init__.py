"""What is made of an audit's samples: its shards, and archives of its changed images; claimed, computed, stored."""
