"""The process that reads finished output ahead of the first search, while nothing else wants the processor."""
