"""Sweeps: one command with placeholders, and the parameters of its tasks."""
