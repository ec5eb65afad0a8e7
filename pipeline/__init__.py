"""The FashionMNIST pipeline: its definition, its compiler, and the ways to run it."""
