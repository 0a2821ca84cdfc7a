"""Files of pages: what they are made of, and how they are written."""

from __future__ import annotations

from pathlib import Path

_TEMPLATES = "dagster_project/pages/templates"


def template_files(*pages: str) -> tuple[str, ...]:
    """Glob patterns, from the project's root, of what these pages are made of: the frame of all, and their own folders.

    A page reads no template of another, so that each has a version of its own.
    """
    return (f"{_TEMPLATES}/*", *(f"{_TEMPLATES}/{page}/*" for page in pages))


def replace_file(path: Path, text: str) -> None:
    """Write a text file whole or not at all, in a folder that may not exist yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
