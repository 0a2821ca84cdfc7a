"""Bundles: an inventory, one row per member file. The bytes stay in the archive, for the program that reads them."""

from __future__ import annotations

import hashlib

from dagster_project.sources import bundle
from dagster_project.sources.readers.arrow import RowBuilder
from dagster_project.sources.readers.base import Parsed, Part, ReadError, Source
from dagster_project.sources.zip_layout import ZipProblemError

COLUMNS = ("membre", "octets", "empreinte", "lignes")


def read(source: Source) -> Parsed:
    """List the members of a bundle; raises ReadError when a zip must not be read, or cannot be.

    `empreinte` is the SHA-256 of the member's own bytes: that of an archived object, unless it stands in a zip.
    `lignes` counts line feeds, and is empty where the member is no text.
    """
    builder, origins = RowBuilder(COLUMNS), list[Part]()
    for part in source.parts:
        try:
            for name, chunks in bundle.members(part.path, part.member):
                digest, size, lines = hashlib.sha256(), 0, 0
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    lines += chunk.count(b"\n")
                counted = str(lines) if bundle.is_text(name) else ""
                origins.append(Part(part.path, part.sha256, name))
                builder.add((name, str(size), digest.hexdigest(), counted), len(origins))
        except ZipProblemError as error:
            raise ReadError(f"{source.where}: {error}") from error
    columns, rows = builder.finish()
    return Parsed(COLUMNS, columns, rows, [], source.parts[0], origins=tuple(origins))
