"""Where the inhabitants of a zone set out from: a few points that stand for its homes, never its centroid.

Homes are dwellings where these are known, else inhabited tiles, else a grid of points inside the zone, each with the
density of its IRIS. They are gathered by k-means, weighted by people; each group is then named by the home nearest to
its mean, so that every origin lies where someone lives, inside the zone even when it is a ring or in several parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dagster_project.geo.dwellings import DWELLINGS, read_dwellings
from dagster_project.geo.inputs import latest, number, refuse_text
from dagster_project.geo.polygons import Index, Shapes
from dagster_project.geo.tiles import MESHES, TILE_CRS, read_tiles
from dagster_project.geo.zones import IRIS, QN2024, QP2015, Layer, departement_of, read_layer
from dagster_project.sources.crs import TARGET_CRS, transformer

if TYPE_CHECKING:
    import pyarrow as pa

IRIS_PEOPLE = "insee_iris_synthese"
RAW_TABLES = (DWELLINGS, MESHES["200m"][0], IRIS_PEOPLE)
MOST_ORIGINS = 10  # per zone; more changes mean times by less than a minute and doubles the routing
GRID_M = 50.0
COARSE_GRID_M = 200.0  # for the rest of communes, which are a hundred times larger
ROUNDS = 25  # of k-means, which settles in fewer
COMMUNE = ("COM", "COG")
LEAST_SHARE = 1e-3  # of a commune's area that a quarter must take to count as being there
FloatArray = npt.NDArray[np.float64]


class Homes(NamedTuple):
    """Points where people live, in EPSG:2154 (metres), with how many (or any measure in proportion)."""

    x: FloatArray
    y: FloatArray
    people: FloatArray
    basis: str


def build_origins(zone_geometries: Path, raw_dir: Path) -> pa.Table:
    """Origins of every QPV of both generations, of what is outside of them in their communes, and of these communes.

    Args:
        zone_geometries: `derived/zone_geometries.parquet`, whose contours are valid.
        raw_dir: folder of raw tables; those named in `RAW_TABLES` are read, and may be empty.

    Returns:
        zone_level, zone_code, generation, departement, basis (logements, carreaux or surface): text; origin_rank
        (bigint, 1 = most people); weight (double): share of the zone's people, the weights of a zone sum to 1; x_m,
        y_m (double, EPSG:2154); lon, lat (double, WGS84). Sorted by zone and rank.
        A zone in which nobody is known to live has no row.

    Raises:
        GeoInputError: a raw table holds cells that are no numbers or place no tile.
    """
    import pyarrow as pa

    rows: list[tuple[str, str, str, str, int, float, float, float]] = []
    for level, code, generation, homes in zone_homes(zone_geometries, raw_dir):
        rows += [
            (level, code, generation, homes.basis, rank, weight, x, y)
            for rank, (x, y, weight) in enumerate(gather(homes, MOST_ORIGINS), start=1)
        ]
    names = ("zone_level", "zone_code", "generation", "basis", "origin_rank", "weight", "x_m", "y_m")
    kinds = (*[pa.string()] * 4, pa.int64(), *[pa.float64()] * 3)
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    table = pa.table({name: pa.array(cells, kind) for name, cells, kind in zip(names, columns, kinds, strict=True)})
    lon, lat = transformer(TARGET_CRS, "EPSG:4326").transform(table["x_m"].to_numpy(), table["y_m"].to_numpy())
    table = table.append_column("lon", pa.array(np.round(lon, 7))).append_column("lat", pa.array(np.round(lat, 7)))
    departements = [departement_of(code) for code in table["zone_code"].to_pylist()]
    return table.append_column("departement", pa.array(departements, pa.string())).sort_by(
        [(name, "ascending") for name in ("zone_level", "zone_code", "generation", "origin_rank")]
    )


def zone_homes(zone_geometries: Path, raw_dir: Path) -> Iterator[tuple[str, str, str, Homes]]:
    """Level, code, generation and homes of every QPV, of each commune that has one, and of the rest of the commune."""
    known = _homes(raw_dir)
    density = _iris_density(zone_geometries, raw_dir)
    communes = read_layer(zone_geometries, *COMMUNE)
    concerned: set[str] = set()
    for level, generation in (QP2015, QN2024):
        quarters = read_layer(zone_geometries, level, generation)
        for code, homes in _homes_by_zone(quarters, known, density, GRID_M):
            yield level, code, generation, homes
        outside = _outside(communes, quarters)
        concerned.update(outside.codes.tolist())
        for code, homes in _homes_by_zone(outside, known, density, COARSE_GRID_M):
            yield "HQPV", code, generation, homes
    here = np.isin(communes.codes, sorted(concerned))
    whole = Layer(communes.codes[here], communes.shapes[here])
    for code, homes in _homes_by_zone(whole, known, density, COARSE_GRID_M):
        yield COMMUNE[0], code, COMMUNE[1], homes


def gather(homes: Homes, most: int) -> list[tuple[float, float, float]]:
    """At most `most` homes that stand for all: x, y and share of the people nearest to each; heaviest first.

    Weighted k-means (Lloyd's algorithm), started from homes far from each other, so that the same homes give the
    same points whatever their order.
    """
    order = np.lexsort((homes.people, homes.y, homes.x))
    points = np.column_stack((homes.x, homes.y))[order]
    people = homes.people[order]
    centres = _far_apart(points, people, most)
    for _ in range(ROUNDS):
        nearest = _nearest(points, centres)
        weights = np.bincount(nearest, people, len(centres))
        sums = [np.bincount(nearest, people * points[:, axis], len(centres)) for axis in (0, 1)]
        moved = np.where(weights[:, None] > 0, np.column_stack(sums) / np.maximum(weights, 1e-12)[:, None], centres)
        if np.allclose(moved, centres, atol=0.01, rtol=0):
            break
        centres = moved
    chosen = points[[int(np.argmin(((points - centre) ** 2).sum(axis=1))) for centre in centres]]
    chosen = np.unique(chosen, axis=0)
    share = np.bincount(_nearest(points, chosen), people, len(chosen)) / people.sum()
    found = [(float(x), float(y), float(part)) for (x, y), part in zip(chosen, share, strict=True) if part > 0]
    return sorted(found, key=lambda origin: (-origin[2], origin[0], origin[1]))


def _far_apart(points: FloatArray, people: FloatArray, most: int) -> FloatArray:
    """Up to `most` distinct points: the one nearest to the mean of people, then each time the farthest from all."""
    middle = np.average(points, axis=0, weights=people)
    distance = ((points - middle) ** 2).sum(axis=1)
    chosen = [int(np.argmin(distance))]
    distance = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < most and distance.max() > 0:
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen]


def _nearest(points: FloatArray, centres: FloatArray) -> Index:
    from scipy.spatial import KDTree

    return np.asarray(KDTree(centres).query(points)[1], dtype=np.int64)


def _homes(raw_dir: Path) -> Homes | None:
    """Dwellings, else inhabited tiles; None when neither is there."""
    dwellings = read_dwellings(raw_dir)
    if dwellings is not None:
        lived_in = dwellings.dwellings > 0
        people = dwellings.dwellings[lived_in].astype(np.float64)
        return Homes(dwellings.x[lived_in], dwellings.y[lived_in], people, "logements")
    tiles = read_tiles(raw_dir, "200m")
    if tiles is None:
        return None
    lived_in = np.nan_to_num(tiles.people) > 0
    east, north = (((axis + 0.5) * tiles.size)[lived_in] for axis in (tiles.column, tiles.row))
    x, y = transformer(TILE_CRS, TARGET_CRS).transform(east, north)
    return Homes(x, y, tiles.people[lived_in], "carreaux")


class _Density(NamedTuple):
    """IRIS, and inhabitants per square metre of each."""

    shapes: Shapes
    people_per_m2: FloatArray


def _iris_density(zone_geometries: Path, raw_dir: Path) -> _Density:
    import duckdb
    import shapely

    layer = read_layer(zone_geometries, *IRIS)
    with duckdb.connect() as connection:
        relation = latest(raw_dir, IRIS_PEOPLE)
        refuse_text(connection, relation, IRIS_PEOPLE, "P22_POP")
        people = dict(connection.execute(f"select code, {number('P22_POP')} from {relation}").fetchall())
    inhabitants = np.array([people.get(code) or 0.0 for code in layer.codes])
    return _Density(layer.shapes, inhabitants / np.maximum(shapely.area(layer.shapes), 1.0))


def _outside(communes: Layer, quarters: Layer) -> Layer:
    """What is left of each commune that has a quarter, without its quarters."""
    import shapely

    quarter, commune = shapely.STRtree(communes.shapes).query(quarters.shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(quarters.shapes[quarter], communes.shapes[commune]))
    there = shared > LEAST_SHARE * np.minimum(
        shapely.area(quarters.shapes[quarter]), shapely.area(communes.shapes[commune])
    )
    concerned = np.unique(commune[there])
    taken = [shapely.union_all(quarters.shapes[quarter[commune == at]]) for at in concerned]
    rest = shapely.difference(communes.shapes[concerned], np.array(taken, dtype=object))
    return Layer(communes.codes[concerned], rest)


def _homes_by_zone(zones: Layer, known: Homes | None, density: _Density, step: float) -> list[tuple[str, Homes]]:
    """The homes that lie in each zone; for a zone without any, points of a grid in it."""
    import shapely

    found: dict[int, Homes] = {}
    if known is not None:
        zone, home = shapely.STRtree(shapely.points(known.x, known.y)).query(zones.shapes, predicate="intersects")
        found = {
            int(at): Homes(known.x[members], known.y[members], known.people[members], known.basis)
            for at in np.unique(zone)
            for members in [home[zone == at]]
        }
    tree = shapely.STRtree(density.shapes)
    for at in range(len(zones.codes)):
        if at not in found and (homes := _grid(zones.shapes[at], tree, density, step)) is not None:
            found[at] = homes
    return [(str(zones.codes[at]), found[at]) for at in sorted(found)]


def _grid(zone: object, tree: object, density: _Density, step: float) -> Homes | None:
    """Points every `step` metres inside a zone, each with the density of its IRIS; None where nobody lives."""
    import shapely

    left, bottom, right, top = shapely.bounds(zone)
    across, up = (
        np.arange(np.floor(a / step), np.ceil(b / step)) * step + step / 2 for a, b in ((left, right), (bottom, top))
    )
    x, y = (axis.ravel() for axis in np.meshgrid(across, up))
    inside = shapely.contains_xy(zone, x, y)
    x, y = x[inside], y[inside]
    if not len(x):
        point = shapely.point_on_surface(zone)
        x, y = np.array([shapely.get_x(point)]), np.array([shapely.get_y(point)])
    if np.isnan(x).any():
        return None
    at, iris = tree.query(shapely.points(x, y), predicate="intersects")  # type: ignore[attr-defined]
    people = np.zeros(len(x))
    people[at] = density.people_per_m2[iris]
    lived_in = people > 0
    return Homes(x[lived_in], y[lived_in], people[lived_in], "surface") if lived_in.any() else None
