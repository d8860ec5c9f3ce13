"""What tasks use of the machine: processors, memory, GPUs; of the whole tree of each, sampled while it lives."""

from __future__ import annotations

from .sampler import Sampler

__all__ = ["Sampler"]
