"""The ptyhost: the small process that owns the pseudo-terminal of one task and outlives the server.

It is started as a program (`python -I -S .../ptyhost/__main__.py`), never imported by the server. It imports only the
core and the standard library, and all of it before it reports that it is ready: `pip install -U` may replace every file
at any time.
"""
