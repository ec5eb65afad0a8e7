"""The registry of MLflow, and the model as an artifact that KServe serves."""
