"""Paragraphs of a terminal."""

from __future__ import annotations

import textwrap

from dagster_project.pages.french import typeset

WIDTH = 100


def wrapped(text: str, indent: int = 2, first: int | None = None, *, verbatim: bool = False) -> list[str]:
    """Lines of a paragraph; long addresses and digests are never cut. `verbatim` leaves its spaces as they are."""
    return textwrap.wrap(
        text if verbatim else typeset(text),
        WIDTH,
        initial_indent=" " * (indent if first is None else first),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
