"""Tasks as terminado terminals: its manager, its pty with clients and its websocket, with a ptyhost instead of a child
process.
"""
