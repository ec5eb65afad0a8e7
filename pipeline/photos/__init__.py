"""Photos, and what a model answers about them."""
