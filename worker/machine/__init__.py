"""What this machine has: processors, memory, and how it says that there is none left."""
