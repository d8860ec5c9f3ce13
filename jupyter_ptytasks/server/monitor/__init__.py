"""Monitors running tasks: their progress, metrics, and the resource usage of their processes."""
