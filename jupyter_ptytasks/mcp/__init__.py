"""An MCP server: tasks for AI agents, built on the client, over stdio or behind a route of the Jupyter server.

`texts` writes responses of limited size, `tools` has the six tools, `service` builds an MCP server with the SDK, which
is imported on first use, `extension` offers long runs as MCP tasks, and `subscriptions` notifies of new output.
"""
