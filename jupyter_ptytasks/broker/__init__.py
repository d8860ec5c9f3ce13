"""The process that talks to a batch system for a server, through a Parsl provider."""
