"""What pages are made of."""

from __future__ import annotations

_TEMPLATES = "dagster_project/pages/templates"


def template_files(*pages: str) -> tuple[str, ...]:
    """Glob patterns, from the project's root, of what these pages are made of: the frame of all, and their own folders.

    A page reads no template of another, so that each has a version of its own.
    """
    return (f"{_TEMPLATES}/*", *(f"{_TEMPLATES}/{page}/*" for page in pages))
