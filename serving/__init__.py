"""The server that answers with a SavedModel, here and on Vertex AI."""
