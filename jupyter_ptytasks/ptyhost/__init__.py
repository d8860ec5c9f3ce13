"""The ptyhost: the small process that owns one task's pseudo-terminal, whatever becomes of the server.

It is started as a program (`python -I -S .../ptyhost/__main__.py`), never imported by the server. It imports the core
and the standard library only, and all of it before it reports itself ready: `pip install -U` may replace every file
under it.
"""
