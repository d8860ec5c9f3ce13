"""What runs inside a task for a notebook: a whole notebook (`__main__`), or the source of one cell (`cell`)."""
