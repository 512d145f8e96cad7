"""What is left behind: blobs that nothing refers to, half uploads, and what retention settings let go."""
