"""How a terminal interprets bytes: escape sequences, modes, the resulting lines and screens, and replays.

`vt` and `tokens` split a stream into tokens; `mode_state`, `modes`, `pen` and `restore_modes` track terminal modes.
The cell writer is `cells`, `cursor`, `grid`, `controls`, `paint` and `drawing`: `lines` reads text from it, `screen`
serializes it. `cutting`, `sanitise` and `replay` produce what a new viewer is sent. `replies` and `answers` handle
automatic replies of terminals.
"""
