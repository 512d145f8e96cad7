"""One pass over a shard: reading, planning, measuring."""
