"""The step that converts the raw dataset to records."""
