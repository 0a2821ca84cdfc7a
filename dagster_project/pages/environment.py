"""The one frame of every page: its templates, the filters that these write with, and how a page becomes a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dagster_project.pages.french import SEVERITIES, SOURCES, STATUSES, territory, typeset
from dagster_project.pages.numbers import measure, moment, number, plural, significant, size
from dagster_project.text_files import replace_text


@cache
def environment() -> Environment:
    """Templates of all pages, under `templates/`: the frame at its top, a folder for each page."""
    made = Environment(
        loader=PackageLoader("dagster_project.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        nombre=number,
        mesure=measure,
        significatif=significant,
        pluriel=plural,
        octets=size,
        moment=moment,
        typographie=typeset,
        territoire=territory,
        provenance=lambda sources: SOURCES.get(sources, sources),
        severite=lambda severity: SEVERITIES[severity],
        statut=lambda status: STATUSES.get(status, status) if status else "—",
        cellule=_cell,
        colonnes=lambda rows: list(dict.fromkeys(name for row in rows for name in row)),
    )
    return made


def write_page(path: Path, template: str, *, fictitious: bool, **content: Any) -> None:
    """Write a page whole or not at all.

    Args:
        path: the file.
        template: its name under `templates/`.
        fictitious: whether what it tells is of the demonstration territory; its head then says so.
        content: what the template asks for; a missing name raises jinja2.UndefinedError.
    """
    replace_text(path, render_page(template, fictitious=fictitious, **content))


def render_page(template: str, *, fictitious: bool, **content: Any) -> str:
    """The page as HTML; see `write_page`."""
    return environment().get_template(template).render(fictitious=fictitious, **content)


def _cell(cell: object) -> object:
    """A cell of a table of data, every digit of it: a check may have failed for the last one."""
    if isinstance(cell, float):
        return number(cell)
    return "vide" if cell is None or cell == "" else cell
