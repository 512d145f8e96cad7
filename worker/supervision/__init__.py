"""The worker's hold on its child: starts it, watches its time and memory, kills it."""
