"""Compiled specs: what they contain, their parameters, and the machines they ask for."""
