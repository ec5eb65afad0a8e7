"""What a user would otherwise write, each a program of its own."""
