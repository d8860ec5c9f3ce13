"""Tasks as terminado's terminals: its manager, its pty with clients, its websocket, with a ptyhost in the place of a
child process.
"""
