"""What is on disk, for whoever looks after tasks: their directories, which are the truth, and the database, which makes
lists quick. Standard library only.
"""
