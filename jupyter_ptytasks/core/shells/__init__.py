"""Shell integration: how shells mark their prompts and commands, and how the marks are parsed."""
