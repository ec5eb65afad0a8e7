"""Measures the pipeline against what a user would otherwise write, as ratios of one run."""
