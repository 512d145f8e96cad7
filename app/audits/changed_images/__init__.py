"""An audit's changed images, handed out."""
