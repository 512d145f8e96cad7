"""What a model's declaration says: its input, outputs and head, and whether it gives what its owner's code gave."""
