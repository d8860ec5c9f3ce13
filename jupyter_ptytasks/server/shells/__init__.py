"""Shells that mark their commands: what was run in them, and running one more."""
