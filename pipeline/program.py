"""Moved to pipeline.text."""

from pipeline.text import command

__all__ = ["command"]
