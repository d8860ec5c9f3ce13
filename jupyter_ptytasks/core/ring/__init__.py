"""The ring on disk: an append-only log of raw bytes, cut into segments that are named by their absolute offset.

`format` says what the files hold, `writer` appends (one writer, the ptyhost), `reader` reads (as many as there are,
each just an offset), `lines` finds lines by number.
"""
