"""The process that reads finished output before its first search, with the lowest priority."""
