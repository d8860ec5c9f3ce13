"""What a terminal makes of bytes: escape sequences, the modes they set, the lines and screens they leave, and replays.

`vt` and `tokens` split a stream into tokens; `mode_state`, `modes`, `pen` and `restore_modes` follow what they change.
The cell writer is `cells`, `cursor`, `grid`, `controls`, `paint` and `drawing`: `lines` reads text from it, `screen`
writes it down again. `cutting`, `sanitise` and `replay` make what a new viewer is sent. `replies` and `answers` are
about what terminals say by themselves.
"""
