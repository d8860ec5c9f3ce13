"""The process that speaks with a batch system for a server, by one of Parsl's providers."""
