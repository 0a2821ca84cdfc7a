"""Text tables of a GTFS feed, from a zip or from loose files, every cell as text."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from dagster_project.routing.transit.problems import FeedRefused, FeedReport
from dagster_project.sources import zip_layout
from dagster_project.sources.zip_layout import ZipProblemError

ROW = "row in the file"
_FIRST_ROW = 2
Files = dict[str, Callable[[], bytes]]


def open_feed(source: Path | Sequence[tuple[str, Path]], name: str) -> Files:
    """How to read the text of each member, by its base name in lower case.

    Args:
        source: a zip, whose tables may lie in a folder; or (member name, path) of text files.
        name: what messages call the feed.

    Raises:
        FeedRefused: the zip is damaged or dangerous, or two members have the same name.
    """
    pairs = (
        _zipped(source, name) if isinstance(source, Path) else [(member, path.read_bytes) for member, path in source]
    )
    files: Files = {}
    for member, read in pairs:
        base = PurePosixPath(member).name.lower()
        if base.endswith(".txt") and base in files:
            raise FeedRefused(f"{name} : plusieurs fichiers {base} ; garder un seul réseau par archive")
        files[base] = read
    return files


def _zipped(path: Path, name: str) -> list[tuple[str, Callable[[], bytes]]]:
    try:
        zip_layout.check_bomb(path)
        zip_layout.check_names(path)
        zip_layout.check_layout(path, None)
    except ZipProblemError as error:
        raise FeedRefused(f"{name} : l’archive {path.name} ne peut être lue : {error}") from error

    def member_reader(member: str) -> Callable[[], bytes]:
        def read() -> bytes:
            with zipfile.ZipFile(path) as archive:
                return archive.read(member)

        return read

    with zipfile.ZipFile(path) as archive:
        return [(member, member_reader(member)) for member in archive.namelist() if not member.endswith("/")]


def read_table(
    files: Files, file: str, required: Sequence[str], optional: Sequence[str], report: FeedReport
) -> pa.Table | None:
    """The columns asked of one table, as text without blanks around; a column the file lacks is empty text.

    Column `ROW` holds the number of each row in the file, from 1 with the header.
    Rows with too few or too many cells are left out and counted.

    Returns:
        None when the feed has no such file.

    Raises:
        FeedRefused: no header, a required column is missing, or the text is not UTF-8.
    """
    if file not in files:
        return None
    data = files[file]().removeprefix(b"\xef\xbb\xbf")
    header = _header(data, file, report.feed)
    missing = [column for column in required if column not in header]
    if missing:
        raise FeedRefused(
            f"{report.feed} : il manque la colonne {missing[0]} dans {file} (colonnes lues : {', '.join(header)}) ; "
            "demander au producteur un fichier conforme au GTFS"
        )
    wrong: list[pacsv.InvalidRow] = []

    def leave_out(row: pacsv.InvalidRow) -> str:
        wrong.append(row)
        return "skip"

    asked = [*required, *optional]
    try:
        table = pacsv.read_csv(
            io.BytesIO(data),
            # one thread: rows then have their number
            read_options=pacsv.ReadOptions(use_threads=False, column_names=header, skip_rows=1),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=leave_out),
            convert_options=pacsv.ConvertOptions(
                include_columns=asked,
                include_missing_columns=True,
                column_types=dict.fromkeys(asked, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return pa.table({**{column: pa.array([], pa.string()) for column in asked}, ROW: _row_numbers(0, [])})
        raise FeedRefused(
            f"{report.feed} : {file} n’est pas un tableau CSV en UTF-8 ({error}) ; le demander en UTF-8"
        ) from error
    if wrong:
        cells = f"{wrong[0].actual_columns} cellules au lieu de {wrong[0].expected_columns}"
        message = f"lignes de {file} qui n’ont pas autant de cellules que l’en-tête : écartées"
        report.add("ligne_malformee", len(wrong), message, file=file, row=wrong[0].number, example=cells)
    trimmed = {column: pc.utf8_trim_whitespace(pc.fill_null(table[column], "")).combine_chunks() for column in asked}
    return pa.table({**trimmed, ROW: _row_numbers(table.num_rows, [row.number for row in wrong])})


def _row_numbers(rows: int, left_out: Sequence[int]) -> npt.NDArray[np.int64]:
    everyone = np.arange(_FIRST_ROW, _FIRST_ROW + rows + len(left_out))
    return np.delete(everyone, np.array(left_out, np.int64) - _FIRST_ROW)


def _header(data: bytes, file: str, feed: str) -> list[str]:
    first = data.split(b"\n", 1)[0]
    try:
        names = next(csv.reader([first.decode("utf-8").rstrip("\r")]), [])
    except UnicodeDecodeError as error:
        raise FeedRefused(f"{feed} : {file} n’est pas en UTF-8 ({error}) ; le demander en UTF-8") from error
    header = [name.strip() for name in names]
    if not any(header):
        raise FeedRefused(f"{feed} : {file} n’a pas d’en-tête ; le télécharger de nouveau")
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise FeedRefused(f"{feed} : la colonne {twice} figure deux fois dans {file} ; demander un fichier conforme")
    return header
