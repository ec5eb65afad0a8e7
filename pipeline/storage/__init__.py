"""The bucket on this machine, and files that are found whole or not at all."""
