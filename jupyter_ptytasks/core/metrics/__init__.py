"""Metrics of a task, read from its output: a metric is a repeated name with a changing number."""

from __future__ import annotations

from .reader import MetricsReader
from .series import Series, number_to_json
from .settings import Settings
from .summary import summary

__all__ = ["MetricsReader", "Series", "Settings", "number_to_json", "summary"]
