"""The steps of the FashionMNIST pipeline, one package each, and the dataset contract they share."""
