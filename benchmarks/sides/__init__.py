"""This project's side of each comparison, each a program of its own."""
