"""The far end of a place: the program on another machine, a single file that needs only Python.

It imports only core. The near end is provision.remote.
"""
