"""The queue: what starts next, where, and when, decided from values alone."""
