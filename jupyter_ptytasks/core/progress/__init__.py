"""How far a task is, read from what it prints: OSC 9;4, the helper function, or the bars and lines of many programs."""

from __future__ import annotations

from .recognizer import ProgressReader
from .value import Progress, Track

__all__ = ["Progress", "ProgressReader", "Track"]
