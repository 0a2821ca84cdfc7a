"""Names and values as SQL writes them, in the one place that knows how quotes are doubled."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def identifier(name: str) -> str:
    """A column or a table, quoted whatever it is called."""
    return '"' + name.replace('"', '""') + '"'


def identifiers(names: Iterable[str]) -> str:
    """A list of columns."""
    return ", ".join(map(identifier, names))


def literal(value: object) -> str:
    """A value: None, a whole number, a list of values; anything else as its text."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{literals(value)}]"
    if isinstance(value, bool | int):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def literals(values: Iterable[object]) -> str:
    """A list of values, as between the parentheses of `in (…)`."""
    return ", ".join(map(literal, values))


def parquet(path: Path) -> str:
    """The rows of a Parquet file, as a relation."""
    return f"read_parquet({literal(path)})"
