"""First half of a recomputation: is each cell of `lineage.parquet` in the archived bytes as it says?

Cells are taken file by file in row order, beside the file read once from its beginning: neither is held whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from dagster_project.audit.recompute.cells import FileForm, Row, read_cells
from dagster_project.audit.recompute.result import Difference, Recomputation
from dagster_project.audit.reference import key_column
from dagster_project.audit.release_folder import Record, ReleaseFolder, ask, records
from dagster_project.release.verifier_preuve import LectureError

if TYPE_CHECKING:
    import duckdb

BATCH = 20_000
# Archived file, member, row, column.
Address = tuple[str, str | None, int, str]

# The cells that figures are made of, those by which their zones exist, those that set the weights of their units.
CHECKED = """
create view checked as
select figure_id, dataset, source_sha256, source_member, source_row, source_column, raw_value from input
union all
select
    figure.figure_id, zone.dataset, zone.source_sha256, zone.source_member, zone.source_row, zone.source_column,
    zone.raw_value
from zone_input as zone inner join figure using (zone_level, zone_code, generation)
union all
select
    figure.figure_id, link.dataset, link.source_sha256, link.source_member, link.source_row, link.source_column,
    link.raw_value
from crosswalk_input as link inner join figure using (zone_level, zone_code, generation)
where figure.method = 'M2'
"""
FILES = """
select input.dataset, input.source_sha256, input.source_member, form.name,
    form.format, form.encoding, form.delimiter, form.header_row
from (select distinct dataset, source_sha256, source_member from checked) as input
left join (
    select dataset, source_sha256, min(name) as name, any_value(format) as format, any_value(encoding) as encoding,
        any_value(delimiter) as delimiter, any_value(header_row) as header_row
    from source_file
    group by all
) as form using (dataset, source_sha256)
order by all
"""
# One bound address: dataset, digest, member.
OF_FILE = "dataset = ? and source_sha256 = ? and source_member is not distinct from ?"


@dataclass
class CellCheck:
    """What the files say.

    Attributes:
        found: text in the bytes, for cells where it is not what the release says (None: no such cell).
        unread: files that could not be read, by digest and member.
    """

    found: dict[Address, str | None] = field(default_factory=dict)
    unread: set[tuple[str, str | None]] = field(default_factory=set)


def check_cells(connection: duckdb.DuckDBPyConnection, release: ReleaseFolder, result: Recomputation) -> CellCheck:
    """Read again every cell of the view `checked`; differences go to `result`."""
    check, held = CellCheck(), ("", b"")
    for file in records(connection, FILES):
        sha256 = file["source_sha256"]
        try:
            if held[0] != sha256:
                held = (sha256, _archived(release, sha256))
            _check_file(connection, file, held[1], check, result)
            result.files += 1
        except LectureError as error:
            check.unread.add((sha256, file["source_member"]))
            result.differs(_unreadable(connection, file, str(error)))
    return check


def _archived(release: ReleaseFolder, sha256: str) -> bytes:
    path = release.object_path(sha256)
    if not path.is_file():
        raise LectureError("l’archive n’a pas ces octets")
    data = path.read_bytes()
    actual = hashlib.sha256(data).hexdigest()
    if actual != sha256:
        raise LectureError(f"l’objet d’archive est altéré : ses octets ont l’empreinte {actual}")
    return data


def _unreadable(connection: duckdb.DuckDBPyConnection, file: Record, reason: str) -> Difference:
    address = [file["dataset"], file["source_sha256"], file["source_member"]]
    query = f"select min(figure_id), count(distinct figure_id) from checked where {OF_FILE}"
    figure_id, figures = ask(connection, query, address).fetchone() or (None, 0)
    return Difference(
        "fichier", reason, figure_id, figures, file["name"] or file["source_member"], file["source_sha256"]
    )


def _check_file(
    connection: duckdb.DuckDBPyConnection, file: Record, data: bytes, check: CellCheck, result: Recomputation
) -> None:
    if file["format"] is None:
        raise LectureError("source_file.parquet ne décrit pas ce fichier")
    address = [file["dataset"], file["source_sha256"], file["source_member"]]
    columns = [
        name
        for (name,) in ask(
            connection,
            f"select distinct source_column from checked where {OF_FILE} and source_row is not null order by all",
            address,
        ).fetchall()
    ]
    searched = _searched(connection, address)
    key = key_column(connection, file["dataset"], file["source_sha256"]) if searched else None
    form = FileForm(file["format"], file["encoding"] or "", file["delimiter"] or "", file["header_row"] or 1)
    rows = read_cells(data, file["source_member"] or "", form, [*columns, key] if key else columns)
    keys: dict[str, int] = {}
    for row, column, expected, found in _compare(_wanted(connection, address), _noting(rows, keys, key), columns):
        if found == expected:
            result.cells += 1
        else:
            check.found[file["source_sha256"], file["source_member"], row, column] = found
            result.differs(_cell_difference(connection, file, row, column, expected, found))
    for zone, figure_id in searched.items():
        result.searched += 1
        if key is None:
            result.differs(_covered(file, figure_id, None, "on ne sait quelle colonne y nomme les zones"))
        elif zone in keys:
            result.differs(_covered(file, figure_id, keys[zone], f"la zone {zone} est dite absente de ce fichier"))


def _wanted(connection: duckdb.DuckDBPyConnection, address: list[Any]) -> Iterator[tuple[int, str, str | None]]:
    cursor = ask(
        connection.cursor(),
        f"select distinct source_row, source_column, raw_value from checked where {OF_FILE} and source_row is not null "
        "order by all",
        address,
    )
    while batch := cursor.fetchmany(BATCH):
        yield from batch


def _noting(rows: Iterator[Row], keys: dict[str, int], key: str | None) -> Iterator[Row]:
    """The same rows; the zones that they name are noted, with the first row that names them."""
    for number, cells in rows:
        if key:
            named = (cells[-1] or "").strip(" ")
            keys.setdefault("ENSEMBLE" if named.upper() == "ENSEMBLE" else named, number)
        yield number, cells


def _compare(
    wanted: Iterator[tuple[int, str, str | None]], rows: Iterator[Row], columns: list[str]
) -> Iterator[tuple[int, str, str | None, str | None]]:
    """Row, column, text in the release and text in the file, for each cell wanted. Every row of the file is read."""
    places = {column: place for place, column in enumerate(columns)}
    number, cells = 0, tuple[str | None, ...]()
    for row, asked in groupby(wanted, itemgetter(0)):
        while number < row and (following := next(rows, None)):
            number, cells = following
        for _, column, expected in asked:
            yield row, column, expected, cells[places[column]] if number == row else None
    for _ in rows:
        pass


def _searched(connection: duckdb.DuckDBPyConnection, address: list[Any]) -> Mapping[str, str]:
    """Zones that the release says this file does not hold, with a figure of each."""
    query = (
        "select figure.zone_code, min(figure_id) from input inner join figure using (figure_id) "
        f"where {OF_FILE.replace('dataset', 'input.dataset')} and source_row is null group by all order by all"
    )
    return dict(ask(connection, query, address).fetchall())


def _cell_difference(
    connection: duckdb.DuckDBPyConnection,
    file: Record,
    row: int,
    column: str,
    expected: str | None,
    found: str | None,
) -> Difference:
    query = (
        f"select min(figure_id), count(distinct figure_id) from checked where {OF_FILE} and source_row = ? "
        "and source_column = ? and raw_value is not distinct from ?"
    )
    address = [file["dataset"], file["source_sha256"], file["source_member"], row, column, expected]
    figure_id, figures = ask(connection, query, address).fetchone() or (None, 0)
    return Difference(
        what="cellule",
        reason="le fichier ne porte pas ce texte à cette place",
        figure_id=figure_id,
        figures=figures,
        file=file["name"],
        sha256=file["source_sha256"],
        row=row,
        column=column,
        expected=repr(expected),
        found="aucune cellule" if found is None else repr(found),
    )


def _covered(file: Record, figure_id: str, row: int | None, reason: str) -> Difference:
    found = Difference("couverture", reason, figure_id, 1, file["name"], file["source_sha256"])
    return replace(found, row=row, expected="aucune ligne", found=f"la ligne {row}") if row else found
