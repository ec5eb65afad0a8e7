"""Every parser of input as a function of bytes, and what it is fed with."""
