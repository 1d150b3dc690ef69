"""The conformance suite for DetectAnomalies."""

__version__ = "0.1.0"
