"""POSIX systems: Linux, macOS and the BSDs."""
