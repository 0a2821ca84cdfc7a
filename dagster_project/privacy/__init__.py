"""Secrecy: which counts may be shown."""
