"""What is known of tasks while they run: how far they are, and what their processes use of the machine."""
