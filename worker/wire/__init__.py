"""What the worker and its child say to each other: frames of JSON with bytes behind them, never a pickle."""
