"""Challenger and champion on the same test records: scores, verdict and report."""
