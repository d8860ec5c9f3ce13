"""Programs that run inside a task: `__main__` executes a notebook, `cell` the source of one cell."""
