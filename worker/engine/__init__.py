"""One pass over a shard, or over a reference's images: reading, planning, measuring."""
