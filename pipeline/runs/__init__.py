"""What runs have left: their summaries, figures and reports."""
