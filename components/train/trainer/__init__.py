"""The trainer package: a Keras CNN for FashionMNIST that also runs by itself."""
