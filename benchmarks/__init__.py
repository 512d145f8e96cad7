"""Speed, measured side by side in one run: `make bench` prints the ratios and writes docs/performance.md."""
