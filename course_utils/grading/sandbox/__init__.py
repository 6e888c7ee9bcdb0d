"""A sandbox for kernels that run work of people whom nobody has to trust."""
