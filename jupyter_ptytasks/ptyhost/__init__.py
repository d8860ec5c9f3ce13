"""The ptyhost: the small process that owns the pseudo-terminal of one task and outlives the server.

It is forked by the starter, a separate program (`python -I -S .../ptyhost/__main__.py`), and never imported by the
server. It imports only core and the standard library, and the starter has already loaded everything: `pip install -U`
may replace every file at any time.
"""
