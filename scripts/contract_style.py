"""The one style of contract YAML: whatever fits on a line stands on one, and a column fills as few lines as it can.

Nothing is named twice (no anchors, no aliases), and a table's owner stands once, for the folder that it is in
(`dbt_project.yml`). Hand-written files are laid out again by `python -m scripts.contract_style FILE…`.
"""

from __future__ import annotations

import itertools
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

WIDTH = 120


class _NoAlias(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (overridden)
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """SQL holds single quotes, which would otherwise be doubled."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if "'" in text else None)


_NoAlias.add_representer(str, _text)


def restyled(text: str) -> str:
    """A properties file laid out again; comments are kept where they may stand, above everything else."""
    comments = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines(keepends=True))
    return "".join(comments) + styled(yaml.safe_load(text))


def styled(properties: dict[str, Any]) -> str:
    """Text of a properties file of dbt: its tables one after the other, a blank line between them."""
    parts = [f"version: {properties['version']}\n"]
    for kind, tables in properties.items():
        if kind != "version":
            parts.append(f"\n{kind}:\n" + "\n\n".join("\n".join(_item(table, 2)) for table in tables) + "\n")
    text = "".join(parts)
    if yaml.safe_load(text) != properties:
        raise ValueError("these properties do not survive being laid out; see scripts/contract_style.py")
    return text


def _item(value: Any, indent: int) -> list[str]:
    """An item of a list, its dash before its first line."""
    flow = " " * indent + "- " + _flow(value)
    if len(flow) <= WIDTH or not isinstance(value, dict):
        return _wrapped(flow, indent + 4)
    first, *others = (line for key, inner in value.items() for line in _pair(key, inner, indent + 2))
    return [" " * indent + "- " + first.lstrip(), *others]


def _pair(key: str, value: Any, indent: int) -> Iterator[str]:
    start, line = f"{' ' * indent}{key}:", f"{' ' * indent}{key}: {_flow(value)}"
    if key == "columns" and _deep(value):
        yield start
        for column in value:
            yield from _filled(column, indent + 2)
    elif len(line) <= WIDTH or not _deep(value):
        yield from _wrapped(line, indent + 2)
    elif isinstance(value, list):
        yield start
        for item in value:
            yield from _item(item, indent + 2)
    else:
        yield start
        for inner, item in value.items():
            yield from _pair(inner, item, indent + 2)


def _deep(value: Any) -> bool:
    """Whether it holds maps or lists of its own."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(item, dict | list) for item in inner)


def _filled(column: dict[str, Any], indent: int) -> Iterator[str]:
    """A column: as many of its keys on each line as fit, those that do not fit on a line of their own wrapped."""
    line = " " * indent + "- {"
    for number, (key, value) in enumerate(column.items(), start=1):
        text = _flow({key: value})[1:-1] + ("}" if number == len(column) else ",")
        if number > 1 and len(line) + 1 + len(text) > WIDTH:
            yield from _wrapped(line, indent + 5)
            line = " " * (indent + 3) + text
        else:
            line += text if number == 1 else f" {text}"
    yield from _wrapped(line, indent + 5)


def _wrapped(line: str, indent: int) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _flow(value: Any) -> str:
    """The value on one line."""
    text: str = yaml.dump(
        [value], Dumper=_NoAlias, allow_unicode=True, default_flow_style=True, sort_keys=False, width=float("inf")
    )
    return text.strip()[1:-1]


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(restyled(path.read_text(encoding="utf-8")), encoding="utf-8")
