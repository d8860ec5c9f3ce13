"""The ring on disk: an append-only log of raw bytes, a segmented log whose files are named by their absolute offset.

`format` describes the files, `writer` appends (one writer, the ptyhost), `reader` reads (any number of readers, each
just an offset), `packing` compresses segments.
"""
