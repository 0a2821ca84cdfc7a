"""Column names: cleaning, and the errors that a wrong header deserves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from dagster_project.sources.catalogue import Column
from dagster_project.sources.readers.base import ReadError, Source

LINEAGE_COLUMNS = ("_vintage", "_source_sha256", "_source_member", "_source_row")
GEOMETRY_COLUMNS = ("geometry", "geometry_original", "_geometry_crs", "_geometry_sha256")
_NAMES_SHOWN = 12


@dataclass(frozen=True)
class Header:
    """The header of a table.

    Attributes:
        cells: as written, one per position.
        names: clean name per position; `None` where the cell is empty.
    """

    cells: tuple[str, ...]
    names: tuple[str | None, ...]

    @property
    def positions(self) -> list[int]:
        """Positions that bear a name."""
        return [i for i, name in enumerate(self.names) if name is not None]

    @property
    def named(self) -> list[str]:
        return [name for name in self.names if name is not None]

    @property
    def kept_cells(self) -> tuple[str, ...]:
        return tuple(self.cells[i] for i in self.positions)


def clean(cell: str) -> str:
    """A header cell without byte order mark, spaces and no-break spaces around it."""
    return cell.strip("\ufeff").strip()


def read_header(source: Source, cells: Sequence[str]) -> Header:
    """Check a header row and return it; raises ReadError (no name, duplicates, missing catalogue columns)."""
    names = tuple(clean(cell) or None for cell in cells)
    header = Header(tuple(cells), names)
    if not header.named:
        raise ReadError(
            f"{source.where}: row {source.dataset.header_row} should hold the column names and is empty; "
            "set `header_row` in the catalogue to the row that holds them"
        )
    check_names(source, header.named)
    return header


def check_names(source: Source, names: Sequence[str]) -> None:
    """Refuse duplicated or reserved names, and names the catalogue promises that are absent.

    Names that differ only by case count as equal: SQL engines cannot tell them apart.
    """
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            raise ReadError(
                f"{source.where}: the column name {name!r} stands twice in the header "
                f"(first as {seen[name.lower()]!r}); check that this is the right file, or ask the producer"
            )
        seen[name.lower()] = name
    reserved = {*LINEAGE_COLUMNS, *(GEOMETRY_COLUMNS if source.dataset.is_geographic else ())}
    if clash := sorted(reserved & seen.keys()):
        raise ReadError(f"{source.where}: the column name {clash[0]!r} is reserved for the reader")
    _check_catalogue(source, seen)


def _check_catalogue(source: Source, present: dict[str, str]) -> None:
    absent = {name.lower() for name in source.vintage.columns_absent}
    if source.dataset.is_geographic:
        absent.add("geometry")
    expected = dict.fromkeys([*(column.name for column in source.dataset.columns), *source.dataset.key])
    missing = [name for name in expected if name.lower() not in present and name.lower() not in absent]
    if missing:
        known = {name.lower() for name in expected}
        unknown = [name for lower, name in present.items() if lower not in known]
        lines = [_missing_line(name, source.dataset.columns, list(present.values()), unknown) for name in missing]
        raise ReadError(
            f"{source.where}: {len(missing)} column(s) of the catalogue are not in the file\n"
            + "\n".join(lines)
            + f"\nIf the edition renamed it: declare the new name in the catalogue entry {source.dataset.id}, map it "
            f"in the seed variable_column, and add the old to `columns_absent` of vintage {source.vintage.vintage}. "
            "If the edition dropped it: add it to `columns_absent`."
        )


def _missing_line(name: str, columns: Iterable[Column], present: list[str], unknown: list[str]) -> str:
    by_lower = {other.lower(): other for other in present}
    close = [by_lower[match] for match in get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)]
    meaning = next((column.meaning for column in columns if column.name == name), "key of the dataset")
    hint = f"looks like it: {', '.join(map(repr, close))}" if close else f"no name looks like it among {_some(present)}"
    new = f"; not in the catalogue: {_some(unknown)}" if unknown else ""
    return f"  - expected {name!r} ({meaning}); {hint}{new}"


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:_NAMES_SHOWN])) + (", …" if names[_NAMES_SHOWN:] else "")
