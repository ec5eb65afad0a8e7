"""Moved to pipeline.text."""

from pipeline.text import age, duration

__all__ = ["age", "duration"]
