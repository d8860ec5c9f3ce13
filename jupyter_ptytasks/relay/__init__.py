"""The far end of a place on another machine: a program in a single file that only needs Python.

It imports only core. The near end is provision.remote.
"""
