"""Tasks on disk: their directories, which are the truth, and the database, which makes lists fast.

Standard library only.
"""
