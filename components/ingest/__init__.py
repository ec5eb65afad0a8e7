"""The step that downloads the raw dataset."""
