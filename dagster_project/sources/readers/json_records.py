"""JSON arrays of records: one row per object, one column per name."""

from __future__ import annotations

from typing import Any

from dagster_project.sources.readers.arrow import RecordBuilder
from dagster_project.sources.readers.base import Parsed, ReadError, Reject, Source
from dagster_project.sources.readers.columns import check_names
from dagster_project.sources.readers.json_text import Scanner, as_text, read_text


def read(source: Source) -> Parsed:
    """Read an array of objects, or the array that the catalogue names (`records`) in an object.

    Raises:
        ReadError: not JSON, no such array, missing columns.
    """
    scanner = Scanner(source, read_text(source))
    builder, rejects = RecordBuilder(), list[Reject]()
    if source.dataset.records is None:
        if scanner.peek() != "[":
            raise ReadError(
                f"{source.where}: expected an array of records, found {scanner.peek() or 'an empty file'!r}"
            )
        _read_array(source, scanner, builder, rejects)
    else:
        _read_member(source, scanner, builder, rejects)
    scanner.end()
    columns, rows = builder.finish()
    check_names(source, list(columns))
    return Parsed(tuple(columns), columns, rows, rejects, source.parts[0])


def _read_member(source: Source, scanner: Scanner, builder: RecordBuilder, rejects: list[Reject]) -> None:
    wanted, found = source.dataset.records, False
    if scanner.peek() != "{":
        raise ReadError(
            f"{source.where}: expected an object whose {wanted!r} holds the records (`records` in the catalogue), "
            f"found {scanner.peek() or 'an empty file'!r}"
        )
    for name in scanner.members():
        if name != wanted:
            scanner.value()
            continue
        if found or scanner.peek() != "[":
            raise ReadError(f"{source.where}: {wanted!r} should be one array of records")
        found = True
        _read_array(source, scanner, builder, rejects)
    if not found:
        raise ReadError(f"{source.where}: no {wanted!r} in the object; correct `records` in the catalogue")


def _read_array(source: Source, scanner: Scanner, builder: RecordBuilder, rejects: list[Reject]) -> None:
    dropped = [name.partition(".") for name in source.dataset.dropped_columns]
    for element in scanner.elements():
        if isinstance(element.value, dict):
            for name, _, member in dropped:
                _drop(element.value, name, member)
            builder.add({name: as_text(value) for name, value in element.value.items()}, element.number)
        else:
            rejects.append(
                Reject.of(element.number, "l'élément n'est pas un enregistrement (objet JSON)", element.text)
            )


def _drop(record: dict[str, Any], name: str, member: str) -> None:
    """Take a column out of a record, or one member of it."""
    if not member:
        record.pop(name, None)
    elif isinstance(nested := record.get(name), dict):
        nested.pop(member, None)
