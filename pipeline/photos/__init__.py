"""From a photo's bytes to the 28x28 pixels that the network was trained on."""
