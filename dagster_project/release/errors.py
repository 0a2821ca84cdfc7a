"""Errors of a release."""

from __future__ import annotations


class ReleaseError(RuntimeError):
    """A release cannot be written or is damaged; the message says what and what to do."""
