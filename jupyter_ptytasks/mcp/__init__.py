"""An MCP server: tasks for AI agents, built on the client, over stdio or behind a route of the Jupyter server.

`texts` writes bounded answers, `tools` has the six verbs, `service` makes an MCP server of them with the SDK, which is
imported when it is first used, `extension` offers long runs as tasks of MCP, and `subscriptions` tells of more output.
"""
