"""Lombard: an open, self-hostable spot margin exchange."""

__version__ = "0.1.0"
