"""The registry on this machine, and the models in it."""
