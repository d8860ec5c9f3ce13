"""Tasks on disk: their directories, which are the source of truth, and the database, which makes lists fast.

Standard library only.
"""
