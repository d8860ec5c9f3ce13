"""Shell integration: how shells are made to mark their prompts and commands, and what the marks say."""
