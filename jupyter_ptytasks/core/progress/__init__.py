"""Progress of a task, read from its output: OSC 9;4, the helper function, or the bars and lines of many programs."""

from __future__ import annotations

from .recognizer import ProgressReader
from .value import Progress, Track

__all__ = ["Progress", "ProgressReader", "Track"]
