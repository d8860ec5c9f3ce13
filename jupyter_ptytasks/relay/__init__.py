"""The far end of a place: what runs on another machine, from one file, with nothing but Python.

It imports core alone. The near end is provision.remote.
"""
