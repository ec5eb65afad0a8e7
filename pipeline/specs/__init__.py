"""Compiled specs: what stands in them, their parameters, and the machines they ask for."""
