"""The scheduler: a process of its own that starts tasks when their turn has come, with or without a server."""
