"""Archives of images, read in place: ZIP, tar, manifests."""
