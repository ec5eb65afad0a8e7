"""What renews the pictures of the documents: ``make pictures``."""
