"""The scheduler: a separate process that starts tasks when it is their turn, with or without a server."""
