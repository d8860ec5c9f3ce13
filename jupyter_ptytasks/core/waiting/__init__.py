"""Whether a program is waiting for input, from its kernel state."""
