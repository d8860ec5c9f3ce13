"""Shell integration: the command history of shells, and running a command in them."""
