"""The report, and what it is rendered as. Every rendering is a pure function of the one ``Report``."""
