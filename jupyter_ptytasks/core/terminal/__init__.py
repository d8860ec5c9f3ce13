"""What a terminal makes of bytes: escape sequences, the modes they set, the lines and screens they leave, and replays.

`vt` cuts a stream into tokens; `modes` and `pen` keep what they change; `rows` knows where they stand. On these build
`collapse`, `sanitise` and `replay`, which shorten a history at equal result, and `lines`, which reads it as text.
`replies` and `answers` are about what terminals say by themselves.
"""
