"""The queue: what starts next, where, and when. Pure decisions."""
