"""Layers to cross: the real ones of the nine départements of the west, and whole-France sizes made from them.

National: copies of the western layers set apart from each other, until there are 49,000 IRIS and 1,014 QPV, and the
contours of other real QPV put 0.5 to 3 km from one of these, until there are 1,600. Squares: the cells of a 200 m grid
around the boxes of these QPV.
"""

from __future__ import annotations

import glob
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from dagster_project.sources.crs import TARGET_CRS, transformer

Shapes = npt.NDArray[np.object_]
DEPARTEMENTS = ("022", "029", "035", "044", "049", "053", "056", "072", "085")
QPV_FILE = "qpv/QP_METROPOLE_LB93.shp"
IRIS_FILES = "iris/departements_iris/*.geojson"
IRIS_COPIES, QPV_COPIES = 14, 13
NATIONAL_IRIS, NATIONAL_QPV = 49_000, 1_600
APART_M = 700_000.0
NEAR_M, FAR_M = 500.0, 3_000.0
SQUARE_M, AROUND_M = 200.0, 6_800.0
NATIONAL_SQUARES = 2_300_000
SEED = 2021


def write_layers(mirror: Path, folder: Path) -> dict[str, str]:
    """Write the layers of every size into `folder`; returns what each size holds, in words."""
    qpv, others = _real_qpv(mirror)
    iris, people = _real_iris(mirror)
    write(folder / "west-qpv.parquet", qpv)
    write(folder / "west-iris.parquet", iris, people)
    copies = _copies(iris, IRIS_COPIES)[:NATIONAL_IRIS]
    zones = _national_qpv(qpv, others)
    write(folder / "france-qpv.parquet", zones)
    write(folder / "france-iris.parquet", copies, np.tile(people, IRIS_COPIES)[:NATIONAL_IRIS])
    squares = _squares(zones)
    write(folder / "squares-qpv.parquet", zones)
    pq.write_table(pa.table({"column": squares[0], "row": squares[1]}), folder / "squares.parquet")
    return {
        "west": f"{len(qpv)} QPV × {len(iris):,} IRIS",
        "france": f"{len(zones):,} QPV × {len(copies):,} IRIS",
        "squares": f"{len(zones):,} QPV × {len(squares[0]):,} squares of 200 m",
    }


def write(path: Path, shapes: Shapes, people: npt.NDArray[np.float64] | None = None) -> None:
    """A layer of contours, with inhabitants if they are known."""
    columns = {"geometry": pa.array(shapely.to_wkb(shapes), pa.binary())}
    pq.write_table(pa.table(columns if people is None else {**columns, "people": people}), path)


def shapes_of(path: Path) -> Shapes:
    """Contours of a layer, made anew: nothing that an earlier measure has prepared."""
    shapes: Shapes = shapely.from_wkb(pq.read_table(path)["geometry"].to_numpy(zero_copy_only=False))
    return shapes


def column_of(path: Path, name: str) -> npt.NDArray[np.float64]:
    """Another column of a layer."""
    values: npt.NDArray[np.float64] = pq.read_table(path, columns=[name])[name].to_numpy()
    return values


def _real_qpv(mirror: Path) -> tuple[Shapes, Shapes]:
    """QPV 2015 of the west, and those of the rest of the Hexagone."""
    from pyogrio.raw import read

    _, _, contours, (codes,) = read(str(mirror / QPV_FILE), columns=["CODE_QP"], encoding="cp1252")
    shapes = shapely.make_valid(shapely.from_wkb(contours))
    western = np.isin([code[2:5] for code in codes], DEPARTEMENTS)
    return shapes[western], shapes[~western]


def _real_iris(mirror: Path) -> tuple[Shapes, npt.NDArray[np.float64]]:
    """IRIS of the west in EPSG:2154, as received otherwise, and their inhabitants."""
    features = [
        feature
        for path in sorted(glob.glob(str(mirror / IRIS_FILES)))  # noqa: PTH207 (the pattern holds a folder)
        for feature in json.loads(Path(path).read_text(encoding="utf-8"))["features"]
    ]
    transform = transformer("OGC:CRS84", TARGET_CRS).transform
    shapes = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
    people = [float(feature["properties"]["population"] or 0) for feature in features]
    return shapely.transform(shapes, transform, interleaved=False), np.array(people)


def _copies(shapes: Shapes, times: int) -> Shapes:
    """The layer, and copies of it set apart on a square of their own."""
    points = shapely.get_coordinates(shapes)
    moves = np.array([divmod(copy, 4) for copy in range(times)]) * APART_M
    return np.concatenate([shapely.set_coordinates(shapes.copy(), points + move) for move in moves])


def _national_qpv(qpv: Shapes, others: Shapes) -> Shapes:
    random = np.random.default_rng(SEED)
    copies = _copies(qpv, QPV_COPIES)
    added = others[random.choice(len(others), NATIONAL_QPV - len(copies), replace=False)]
    beside = shapely.get_coordinates(shapely.centroid(copies[random.integers(len(copies), size=len(added))]))
    angle, distance = random.uniform(0, 2 * np.pi, len(added)), random.uniform(NEAR_M, FAR_M, len(added))
    target = beside + np.stack([np.cos(angle), np.sin(angle)], axis=1) * distance[:, None]
    moves = target - shapely.get_coordinates(shapely.centroid(added))
    points, owner = shapely.get_coordinates(added, return_index=True)
    return np.concatenate([copies, shapely.set_coordinates(added.copy(), points + moves[owner])])


def _squares(zones: Shapes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Cells (column, row) around the boxes of zones, in the order of rows and columns, as an official file is."""
    boxes = np.floor(shapely.bounds(zones) / SQUARE_M).astype(np.int64)
    around = int(AROUND_M // SQUARE_M)
    keys = [np.empty(0, np.int64)]
    for west, south, east, north in boxes:
        columns, rows = np.arange(west - around, east + around + 1), np.arange(south - around, north + around + 1)
        keys.append(((rows[:, None] << 32) + columns[None, :]).ravel())
    cells = np.unique(np.concatenate(keys))
    if len(cells) > NATIONAL_SQUARES:
        kept = np.random.default_rng(SEED).choice(len(cells), NATIONAL_SQUARES, replace=False)
        cells = cells[np.sort(kept)]
    return cells & 0xFFFFFFFF, cells >> 32
