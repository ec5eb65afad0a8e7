"""Moved to pipeline.text."""

from pipeline.text import shown

__all__ = ["shown"]
