"""Small raw tables and contours for tests of geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

Box = tuple[float, float, float, float]


def raw_table(folder: Path, name: str, columns: Mapping[str, Sequence[str | None]]) -> None:
    """A raw table of text with its lineage columns; without rows when the columns have none."""
    rows = len(next(iter(columns.values())))
    lineage = {"_vintage": ["2021"] * rows, "_source_member": [f"{name}.csv"] * rows}
    texts = {key: pa.array(values, pa.string()) for key, values in {**columns, **lineage}.items()}
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.table({**texts, "_source_row": pa.array(range(2, rows + 2), pa.int64())}), folder / f"{name}.parquet"
    )


def absent_sources(folder: Path) -> None:
    """The three tables of dwellings and tiles as they are when their sources are absent."""
    dwellings(folder, [])
    tiles(folder, [])
    tiles(folder, [], mesh="naturel")


def dwellings(folder: Path, places: Sequence[tuple[object, object, object]]) -> None:
    """Buildings as x, y (EPSG:2154), dwellings."""
    x, y, count = zip(*places, strict=True) if places else ((), (), ())
    columns = {"x": x, "y": y, "nb_log": count}
    identifiers = [f"b{i}" for i in range(len(places))]
    texts = {name: [None if v is None else str(v) for v in values] for name, values in columns.items()}
    raw_table(folder, "cstb_bdnb_logements", {"batiment_groupe_id": identifiers, **texts})


def tiles(folder: Path, given: Sequence[tuple[str, object]], mesh: str = "200m") -> None:
    """Tiles as identifier, inhabitants."""
    table, column = {
        "200m": ("insee_filosofi_carreaux", "idcar_200m"),
        "naturel": ("insee_filosofi_carreaux_nat", "idcar_nat"),
    }[mesh]
    raw_table(folder, table, {column: [tile for tile, _ in given], "ind": [str(people) for _, people in given]})


def tile_id(size: int, column: int, row: int) -> str:
    return f"CRS3035RES{size}mN{row * size}E{column * size}"


def zone_table(path: Path, zones: Sequence[tuple[str, str, str, shapely.Geometry | None]]) -> None:
    """`derived/zone_geometries.parquet` from level, generation, code, contour."""
    level, generation, code, shapes = zip(*zones, strict=True) if zones else ((), (), (), ())
    contours = shapely.to_wkb(np.array(shapes, dtype=object)).tolist() if shapes else []
    table = pa.table(
        {
            "zone_level": pa.array(level, pa.string()),
            "zone_code": pa.array(code, pa.string()),
            "generation": pa.array(generation, pa.string()),
            "geometry_wkb": pa.array(contours, pa.binary()),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def rows_of(table: pa.Table, *keys: str) -> dict[tuple[object, ...], dict[str, object]]:
    """Rows by key."""
    rows = table.to_pylist()
    found = {tuple(row[key] for key in keys): row for row in rows}
    assert len(found) == len(rows), "the key is not one"
    return found


def assert_sorted(table: pa.Table, *keys: str) -> None:
    """Rows are in the order of their keys, nulls last."""
    order = ", ".join(f"{key} nulls last" for key in keys)
    with duckdb.connect() as connection:
        connection.register("given", table)
        again = connection.sql(f"select * from given order by {order}").to_arrow_table()
    assert again.select(list(keys)).to_pylist() == table.select(list(keys)).to_pylist()
