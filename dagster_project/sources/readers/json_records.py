"""JSON arrays of records: one row per object, one column per name."""

from __future__ import annotations

from dagster_project.sources.readers.arrow import RecordBuilder
from dagster_project.sources.readers.base import Parsed, ReadError, Reject, Source
from dagster_project.sources.readers.columns import check_names
from dagster_project.sources.readers.json_text import Scanner, as_text, read_text


def read(source: Source) -> Parsed:
    """Read an array of objects; raises ReadError (not JSON, not an array, missing columns)."""
    scanner = Scanner(source, read_text(source))
    if scanner.peek() != "[":
        raise ReadError(f"{source.where}: expected an array of records, found {scanner.peek() or 'an empty file'!r}")
    builder, rejects = RecordBuilder(), list[Reject]()
    for element in scanner.elements():
        if isinstance(element.value, dict):
            builder.add({name: as_text(value) for name, value in element.value.items()}, element.number)
        else:
            rejects.append(
                Reject.of(element.number, "l'élément n'est pas un enregistrement (objet JSON)", element.text)
            )
    scanner.end()
    columns, rows = builder.finish()
    check_names(source, list(columns))
    return Parsed(tuple(columns), columns, rows, rejects, source.parts[0])
