"""Model registries, one file each: what a version is, where its files are, how a verdict is written back."""
