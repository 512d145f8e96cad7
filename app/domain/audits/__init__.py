"""What follows from an audit's protocol: its subjects, what it shares with another, what can be made of its maps."""
